r"""Formulas as inline SVG: LaTeX's mathematics set by matplotlib's mathtext, without a network.

Mathtext rather than MathML or a script: it comes with the library that draws the figures, looks
the same in every browser and on paper, and needs no fonts at the reader's. What it lacks of LaTeX
is translated; a formula is cut at its ``\quad`` so that a page can break the line there.
"""

import html
import io
import re
from dataclasses import dataclass, field

_TRANSLATED = {
    r"\lVert": r"\Vert",
    r"\rVert": r"\Vert",
    r"\tfrac": r"\frac",
    r"\implies": r"\Longrightarrow",
    r"\iff": r"\Longleftrightarrow",
    r"\Bigl": "",
    r"\Bigr": "",
    r"\bigl": "",
    r"\bigr": "",
    r"\to": r"\rightarrow",
    r"\le": r"\leq",
    r"\ge": r"\geq",
}
_WORDS = re.compile(r"\\[A-Za-z]+")
_BARE = re.compile(r"\\frac(\d)(\d)|\\sqrt (\w)")
"""Arguments of one letter, which LaTeX takes without braces."""
_APART = re.compile(r"(?<=[\w}]) (?=\\(?:log|sin)\b)")
"""Where LaTeX puts a thin space before an operator's name, and mathtext none."""
_SIZE = 13.0
"""Of the letters, in points."""


def pieces(latex: str) -> list[str]:
    r"""The parts of a formula between its outer ``\quad``s, in mathtext's dialect."""
    text = _WORDS.sub(lambda word: _TRANSLATED.get(word.group(), word.group()), latex)
    text = _APART.sub(r" \\, ", _BARE.sub(_braced, text))
    parts, depth, start = [], 0, 0
    for match in re.finditer(r"\\quad|[{}]", text):
        depth += {"{": 1, "}": -1}.get(match.group(), 0)
        if match.group() == r"\quad" and depth == 0:
            parts.append(text[start : match.start()])
            start = match.end()
    return [part.strip() for part in [*parts, text[start:]] if part.strip()]


def _braced(match: re.Match[str]) -> str:
    above, below, root = match.groups()
    return rf"\sqrt{{{root}}}" if root else rf"\frac{{{above}}}{{{below}}}"


@dataclass
class Typesetter:
    """Sets formulas for one page; a glyph's outline is written where it first occurs.

    Raises ``ImportError`` at its first formula if matplotlib is missing.
    """

    _known: set[str] = field(default_factory=set)

    def formula(self, latex: str) -> str:
        """HTML of a formula: one inline SVG a piece, each with its source as a label."""
        return " ".join(self._piece(piece) for piece in pieces(latex))

    def _piece(self, piece: str) -> str:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
        from matplotlib.font_manager import FontProperties
        from matplotlib.mathtext import MathTextParser

        with rc_context({"mathtext.fontset": "cm", "svg.fonttype": "path"}):
            font, source = FontProperties(size=_SIZE), f"${piece}$"
            width, height, depth, *_ = MathTextParser("path").parse(source, dpi=72, prop=font)
            figure = Figure(figsize=((width + 1) / 72, (height + 1) / 72))
            figure.text(0, (depth + 0.5) / (height + 1), source, fontproperties=font)
            buffer = io.StringIO()
            figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
        style = f"vertical-align:{-depth - 0.5:.2f}pt"
        return self._inline(buffer.getvalue(), piece, style)

    def _inline(self, svg: str, label: str, style: str) -> str:
        """The SVG element alone: without prologue and metadata, ids only where they are used."""
        svg = svg[svg.index("<svg") :]
        svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
        svg = re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL)
        svg = re.sub(r'<path d="[^"]*" style="fill: none"/>', "", svg)
        svg = re.sub(r'<g id="[^"]*"', "<g", svg)
        svg = re.sub(r'<path id="([^"]+)"[^>]*/>', self._once, svg)
        opening = f'<svg class="formula" role="img" aria-label="{html.escape(label)}" '
        return re.sub(r"\s*\n\s*", " ", svg).replace("<svg ", f'{opening}style="{style}" ', 1)

    def _once(self, outline: re.Match[str]) -> str:
        name = outline.group(1)
        if name in self._known:
            return ""
        self._known.add(name)
        return outline.group()
