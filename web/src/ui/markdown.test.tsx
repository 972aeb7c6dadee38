import { renderToStaticMarkup } from "react-dom/server";
import { expect, it } from "vitest";
import Markdown from "./markdown";

const html = (text: string) => renderToStaticMarkup(<Markdown text={text} />).replace(/^<div class="markdown">|<\/div>$/g, "");

it("draws what models write", () => {
  expect(html("# Title\n\nSome **bold** and *light* `code`.\nNext line.\n\n1. one\n2. two\n\n- [x] done")).toBe(
    '<h4 data-level="1">Title</h4><p dir="auto">Some <strong>bold</strong> and <em>light</em> <code>code</code>.<br/>Next line.</p>' +
      '<ol start="1"><li>one</li><li>two</li></ol><ul><li>☑ done</li></ul>',
  );
  expect(html("| a | b |\n|---|--:|\n| 1 | 2 |")).toContain('<td class="text-right">2</td>');
  expect(html("```js\nif (a < b) {}\n```")).toBe('<pre tabindex="0"><code>if (a &lt; b) {}</code></pre>');
});

it("makes no element of markup in the text, and loads nothing", () => {
  const hostile = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "text <b onclick=alert(1)>bold</b> <svg/onload=alert(1)>",
    "[click](javascript:alert(1)) [data](data:text/html,x) [tab](java\tscript:alert(1)) [relative](/api/runs)",
    "![pixel](https://example.com/pixel.png)",
    "&lt;script&gt; &#60;script&#62; &unknown;",
    "<style>*{display:none}</style>",
    "[x](https://example.com/\"onmouseover=\"alert(1))",
  ];
  for (const text of hostile) {
    const drawn = html(text);
    expect(drawn.match(/<(?!\/?(p|a|br|span|code|pre|strong|em)\b)/g), drawn).toBeNull();
    expect(drawn, text).not.toMatch(/<[^>]*\s(on\w+|src|style)=/);
    expect(drawn, text).not.toMatch(/href="(?!https?:)/);
  }
  expect(html("<b>shown</b>")).toContain("&lt;b&gt;shown&lt;/b&gt;");
  expect(html("![pixel](https://example.com/p.png)")).toContain('rel="noopener noreferrer nofollow">[image: pixel]</a>');
  expect(html("a < b &amp;&amp; c")).toContain("a &lt; b &amp;&amp; c");
});

it("keeps every word of what it does not understand", () => {
  const words = "*unclosed **bold [link](nowhere `tick\n\n> > > quote\n\n    code\n\n[ref]: http://x\n";
  for (const word of ["unclosed", "bold", "link", "tick", "quote", "code"]) expect(html(words)).toContain(word);
});

it("stands nesting without end, and long lines", { timeout: 20_000 }, () => {
  for (const text of [">".repeat(5_000) + " deep", "- ".repeat(2_000) + "deep", "*".repeat(20_000), "[".repeat(10_000), "`".repeat(30_000) + "x", "![".repeat(5_000)]) {
    expect(html(text).length).toBeGreaterThan(3);
  }
});
