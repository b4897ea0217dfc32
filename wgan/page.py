"""A report as one HTML file: no script, no style sheet, font or picture from elsewhere."""

import base64
import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.55 Georgia, "Times New Roman", serif; color: #1c1c1c; background: #fff;
  max-width: 50rem; margin: 2.5rem auto; padding: 0 1.2rem; }
h1, h2, th, nav, figcaption, .verdict, code, td.number { font-family: "Helvetica Neue", Helvetica,
  Arial, sans-serif; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .4rem; }
h2 { font-size: 1.2rem; margin: 2.6rem 0 .6rem; padding-top: .6rem; border-top: 1px solid #ccc; }
p { margin: .6rem 0; }
code, pre { font-family: Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .85em; }
pre { background: #f5f5f2; padding: .8rem 1rem; overflow-x: auto; white-space: pre-wrap; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; margin: .8rem 0; font-size: .88rem; }
th { text-align: left; font-weight: 600; vertical-align: bottom; border-bottom: 2px solid #999; }
th, td { padding: .25rem .9rem .25rem 0; vertical-align: top; }
td { border-bottom: 1px solid #e6e6e6; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.verdict { background: #eef4fa; border-left: 4px solid #0b5fa5; padding: .7rem 1rem; }
.grids { display: flex; flex-wrap: wrap; gap: 1rem; }
figure { margin: 0; }
figcaption { font-size: .82rem; color: #444; margin: .2rem 0 .6rem; }
img { max-width: 100%; height: auto; }
img.chart { width: 100%; margin: .6rem 0; }
img.pixels { image-rendering: pixelated; }
"""


@dataclass(frozen=True)
class Section:
    """A heading and the HTML below it."""

    title: str
    body: str


def page(title: str, lead: str, sections: Iterable[Section]) -> str:
    """A whole HTML document; ``lead`` is HTML, ``title`` and the sections' titles are text."""
    parts = [f"<h2>{html.escape(section.title)}</h2>\n{section.body}" for section in sections]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{html.escape(title)}</h1>\n{lead}\n" + "\n".join(parts) + "\n</body>\n</html>\n"
    )


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], numbers: str = "") -> str:
    """An HTML table; ``numbers`` has an "r" at the place of each column that stands right."""
    right = [mark == "r" for mark in numbers.ljust(len(columns))]
    head = _row("th", columns, right)
    body = "".join(_row("td", row, right) for row in rows)
    return f'<div class="scroll"><table>{head}{body}</table></div>'


def _row(tag: str, cells: Sequence[str], right: Sequence[bool]) -> str:
    parts = [
        f"<{tag}{' class=number' if number else ''}>{html.escape(cell)}</{tag}>"
        for cell, number in zip(cells, right, strict=True)
    ]
    return f"<tr>{''.join(parts)}</tr>\n"


def picture(content: bytes, caption: str) -> str:
    """A PNG picture at half its size, sharp on dense screens too, with its caption."""
    width = int.from_bytes(content[16:20], "big") // 2  # from the PNG header
    code = base64.b64encode(content).decode()
    text = html.escape(caption)
    return (
        f'<figure><img class="pixels" width="{width}" alt="{text}" '
        f'src="data:image/png;base64,{code}"><figcaption>{text}</figcaption></figure>'
    )
