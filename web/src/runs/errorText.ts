/** What went wrong, beginning with the HTTP status where the sentence does not say it itself. */
export function errorText({ status, message }: { status?: number | null; message: string }): string {
  return status != null && !message.includes(String(status)) ? `HTTP ${status}: ${message}` : message;
}
