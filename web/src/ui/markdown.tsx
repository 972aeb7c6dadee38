import { Lexer, type MarkedToken, type Token, type Tokens } from "marked";
import { createElement, Fragment, useMemo, type ReactNode } from "react";

/** Nesting beyond this is shown as it was written: nobody means it, and drawing it costs. */
const DEEPEST = 16;

/**
 * Text of a model as Markdown (CommonMark with GFM's tables and strikethrough). Only the words become elements, and always
 * ours: markup in the text stays text, nothing is loaded (an image is a link to it), and links go to the web alone.
 */
export default function Markdown({ text }: { text: string }) {
  const tokens = useMemo(() => parse(text), [text]);
  if (!tokens) return <pre className="font-sans break-words whitespace-pre-wrap">{text}</pre>;
  return <div className="markdown">{blocks(tokens, 0)}</div>;
}

function parse(text: string): Token[] | null {
  try {
    return new Lexer({ gfm: true, breaks: true }).lex(text);
  } catch {
    // Whatever it stumbled over: the text can be read without.
    return null;
  }
}

function blocks(tokens: Token[], depth: number): ReactNode {
  return tokens.map((token, index) => <Fragment key={index}>{block(token as MarkedToken, depth)}</Fragment>);
}

function block(token: MarkedToken, depth: number): ReactNode {
  if (depth > DEEPEST) return token.raw;
  switch (token.type) {
    case "space":
    case "def":
      return null;
    case "hr":
      return <hr />;
    case "heading":
      // The page has its own first levels.
      return createElement(`h${Math.min(6, token.depth + 3)}`, { "data-level": token.depth }, inlines(token.tokens, depth));
    case "paragraph":
      return <p dir="auto">{inlines(token.tokens, depth)}</p>;
    case "code":
      return (
        <pre tabIndex={0}>
          <code>{token.text}</code>
        </pre>
      );
    case "blockquote":
      return <blockquote>{blocks(token.tokens, depth + 1)}</blockquote>;
    case "list":
      return token.ordered ? (
        <ol start={token.start === "" ? 1 : token.start}>{items(token.items, depth)}</ol>
      ) : (
        <ul>{items(token.items, depth)}</ul>
      );
    case "table":
      return (
        <div className="overflow-x-auto" tabIndex={0} role="group" aria-label="Table">
          <table>
            <thead>
              <tr>{token.header.map((cell, index) => <th key={index} scope="col" className={aligned(cell.align)}>{inlines(cell.tokens, depth)}</th>)}</tr>
            </thead>
            <tbody>
              {token.rows.map((row, index) => (
                <tr key={index}>{row.map((cell, index) => <td key={index} className={aligned(cell.align)}>{inlines(cell.tokens, depth)}</td>)}</tr>
              ))}
            </tbody>
          </table>
        </div>
      );
    case "html":
      return <p dir="auto" className="whitespace-pre-wrap">{token.raw.trimEnd()}</p>;
    default:
      return inline(token, depth);
  }
}

const aligned = (align: Tokens.TableCell["align"]) => (align === "right" ? "text-right" : align === "center" ? "text-center" : undefined);

function items(list: Tokens.ListItem[], depth: number): ReactNode {
  return list.map((item, index) => <li key={index}>{blocks(item.tokens, depth + 1)}</li>);
}

function inlines(tokens: Token[] | undefined, depth: number): ReactNode {
  return (tokens ?? []).map((token, index) => <Fragment key={index}>{inline(token as MarkedToken, depth)}</Fragment>);
}

function inline(token: MarkedToken, depth: number): ReactNode {
  if (depth > DEEPEST) return token.raw;
  switch (token.type) {
    case "text":
      return token.tokens ? inlines(token.tokens, depth + 1) : unescape(token.text);
    case "escape":
      return token.text;
    case "strong":
      return <strong>{inlines(token.tokens, depth + 1)}</strong>;
    case "em":
      return <em>{inlines(token.tokens, depth + 1)}</em>;
    case "del":
      return <del>{inlines(token.tokens, depth + 1)}</del>;
    case "codespan":
      return <code>{token.text}</code>;
    case "br":
      return <br />;
    case "checkbox":
      return token.checked ? "☑ " : "☐ ";
    case "link":
      return <Anchor href={token.href}>{inlines(token.tokens, depth + 1)}</Anchor>;
    case "image":
      return <Anchor href={token.href}>{`[image: ${token.text || token.href}]`}</Anchor>;
    default:
      return token.raw;
  }
}

/** A link where it leads to the web; elsewhere only its words. Its target is in the title, so that the words cannot lie. */
function Anchor({ href, children }: { href: string; children: ReactNode }) {
  const url = URL.canParse(href) ? new URL(href) : null;
  if (!url || !["http:", "https:", "mailto:"].includes(url.protocol)) return <span title={href}>{children}</span>;
  return (
    <a href={url.href} title={url.href} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  );
}

const named: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', nbsp: "\u00a0" };

/** The few entities that models write; an unknown one stays as it is. */
function unescape(text: string): string {
  return text.replaceAll(/&(?:(amp|lt|gt|quot|nbsp)|#(\d{1,7}));/g, (whole: string, name: string | undefined, code: string | undefined) => {
    if (name) return named[name] ?? whole;
    const point = Number(code);
    return point > 0 && point <= 0x10ffff ? String.fromCodePoint(point) : whole;
  });
}
