/** One message of a stream of server-sent events. */
export interface SseMessage {
  event: string;
  data: string;
  id?: string;
}

/**
 * Reads `text/event-stream` (HTML standard, 9.2.6) piece by piece; pieces may be cut anywhere. The browser's own EventSource
 * cannot begin with a `Last-Event-ID`, which is what a tab needs that comes back after it was hidden.
 */
export class SseParser {
  private rest = "";
  private data: string[] = [];
  private event = "";
  private id: string | undefined;

  push(text: string): SseMessage[] {
    const messages: SseMessage[] = [];
    this.rest += text;
    for (;;) {
      const end = this.rest.search(/[\r\n]/);
      // A lone CR at the very end may be the first half of CRLF.
      if (end < 0 || (this.rest[end] === "\r" && end === this.rest.length - 1)) return messages;
      const line = this.rest.slice(0, end);
      this.rest = this.rest.slice(end + (this.rest.startsWith("\r\n", end) ? 2 : 1));
      if (line !== "") this.field(line);
      else if (this.data.length > 0 || this.event !== "") {
        messages.push({ event: this.event || "message", data: this.data.join("\n"), id: this.id });
        this.data = [];
        this.event = "";
        this.id = undefined;
      }
    }
  }

  private field(line: string) {
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "data") this.data.push(value);
    else if (name === "event") this.event = value;
    else if (name === "id") this.id = value;
  }
}
