"""The dialect of notes: which Markdown it is, and the HTML of what the library does not know.

Raw HTML is shown as it was typed. HTML for a page has no style attributes, which its policy
forbids; on paper formulas are pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.tasklists import tasklists_plugin

from labreport.render.notes.highlighting import highlighted
from labreport.render.svg_uri import data_uri

FORMULAS = ("math_inline", "math_inline_double", "math_block")
"""Kinds of tokens that are formulas."""

_BRACKETS = {"(": ("math_inline", r"\)"), "[": ("math_inline_double", r"\]")}


def _formula_in_brackets(state: StateInline, silent: bool) -> bool:
    r"""Read ``\(…\)`` and ``\[…\]`` within a paragraph."""
    kind, end = _BRACKETS.get(state.src[state.pos + 1 : state.pos + 2], ("", ""))
    if state.src[state.pos] != "\\" or not kind:
        return False
    found = state.src.find(end, state.pos + 2, state.posMax)
    if found < 0:
        return False
    if not silent:
        token = state.push(kind, "math", 0)
        token.markup = state.src[state.pos : state.pos + 2]
        token.content = state.src[state.pos + 2 : found]
    state.pos = found + 2
    return True


def _block_in_brackets(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    r"""Read ``\[`` to ``\]`` where they begin and end lines."""
    lines = [state.getLines(k, k + 1, state.blkIndent, False).strip() for k in (start,)]
    if state.is_code_block(start) or not lines[0].startswith("\\["):
        return False
    lines[0] = lines[0][2:]
    line = start
    while not lines[-1].endswith("\\]"):
        line += 1
        if line >= end or state.isEmpty(line) or state.sCount[line] < state.blkIndent:
            return False
        lines.append(state.getLines(line, line + 1, state.blkIndent, False).strip())
    if not silent:
        token = state.push("math_block", "math", 0)
        token.content = "\n".join(lines)[:-2]
        token.map, token.block = [start, line + 1], True
        state.line = line + 1
    return True


def _render_formula(
    renderer: Any, tokens: Sequence[Token], index: int, options: Any, environment: Any
) -> str:
    token = tokens[index]
    formula, display = token.meta["formula"], token.meta["display"]
    words = escapeHtml(formula.latex)
    if environment["printed"]:
        size = f"width:{formula.width:.4g}em;height:{formula.height:.4g}em"
        size += "" if display else f";vertical-align:{-formula.below:.4g}em"
        inner = f'<img src="{escapeHtml(data_uri(formula.svg))}" alt="{words}" style="{size}">'
    else:
        inner = formula.mathml.replace("<math", f'<math alttext="{words}"', 1)
    kind = "equation" if display else "math"
    made = f'<span class="{kind}">{inner}</span>'
    return f"<p>{made}</p>\n" if token.type == "math_block" else made


def _render_picture(
    renderer: Any, tokens: Sequence[Token], index: int, options: Any, environment: Any
) -> str:
    source, words = (escapeHtml(str(tokens[index].attrs[key])) for key in ("src", "alt"))
    return f'<img class="picture-of-note" src="{source}" alt="{words}">'


def _footnote(token: Token, environment: Any) -> tuple[str, int]:
    return f"footnote-{environment['anchor']}-{token.meta['id'] + 1}", token.meta["id"] + 1


def _render_call(
    renderer: Any, tokens: Sequence[Token], index: int, options: Any, environment: Any
) -> str:
    anchor, number = _footnote(tokens[index], environment)
    # Only the first call is led back to.
    own = f' id="{anchor}-call"' if tokens[index].meta["subId"] == 0 else ""
    return f'<sup><a class="call"{own} href="#{anchor}">[{number}]</a></sup>'


def _render_footnote(
    renderer: Any, tokens: Sequence[Token], index: int, options: Any, environment: Any
) -> str:
    return f'<li id="{_footnote(tokens[index], environment)[0]}">'


def _render_back(
    renderer: Any, tokens: Sequence[Token], index: int, options: Any, environment: Any
) -> str:
    if tokens[index].meta["subId"]:
        return ""
    anchor, number = _footnote(tokens[index], environment)
    return f' <a href="#{anchor}-call" aria-label="↑ [{number}]">↑</a>'


def _markdown() -> MarkdownIt:
    own = MarkdownIt(
        "commonmark",
        {"html": False, "linkify": False, "typographer": False, "highlight": highlighted},
    )
    own.enable(["table", "strikethrough"])
    own.disable(["html_block", "html_inline"])
    own.use(
        dollarmath_plugin,
        allow_space=False,
        allow_digits=False,
        allow_labels=False,
        allow_blank_lines=False,
        double_inline=True,
    )
    own.use(footnote_plugin, inline=False).use(tasklists_plugin)
    own.inline.ruler.before("escape", "formula_in_brackets", _formula_in_brackets)
    own.block.ruler.before(
        "fence",
        "block_in_brackets",
        _block_in_brackets,
        {"alt": ["paragraph", "blockquote", "list"]},
    )
    # Every address is a link here, so that one that leads nowhere is told and not shown as text.
    own.validateLink = lambda url: True  # type: ignore[method-assign]
    for kind in FORMULAS:
        own.add_render_rule(kind, _render_formula)
    own.add_render_rule("image", _render_picture)
    own.add_render_rule("footnote_ref", _render_call)
    own.add_render_rule("footnote_open", _render_footnote)
    own.add_render_rule("footnote_anchor", _render_back)
    for kind, html in _FIXED.items():
        own.add_render_rule(kind, lambda *_, html=html: html)
    return own


_FIXED = {
    "footnote_block_open": '<ol class="footnotes">\n',
    "footnote_block_close": "</ol>\n",
    "footnote_close": "</li>\n",
    "table_open": '<div class="table">\n<table>\n',
    "table_close": "</table>\n</div>\n",
}

MARKDOWN = _markdown()


def words_of(token: Token) -> str:
    """The alternative text of a picture, without marks."""
    return str(RendererHTML().renderInlineAsText(token.children, MARKDOWN.options, {}))
