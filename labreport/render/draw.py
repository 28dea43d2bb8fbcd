"""Figures drawn: what a report says is drawn, in the words of a language."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_origin

from labreport.language.words import Words
from labreport.render.drawing_cache import DrawingCache
from labreport.render.printed import Plot
from labreport.report.illustration.drawings import Array, CurveDrawing, Drawing, SweepDrawing
from labreport.report.phrases import Phrase

PHRASES = tuple(k for k in get_args(Phrase) if k not in (str, int) and get_origin(k) is None)


def draw(drawing: Drawing, words: Words, cache: DrawingCache) -> tuple[bytes, Plot | None]:
    """The picture, and its curves as numbers for a page if it has some."""
    from labreport.render.figures import page_plot

    function, *given = how(drawing, words)
    svg = cache.draw(function, *given)
    match drawing:
        case CurveDrawing():
            return svg, page_plot.plot_of_curves(*given)
        case SweepDrawing():
            return svg, page_plot.plot_of_sweep(*given)
        case _:
            return svg, None


def how(drawing: Drawing, words: Words) -> tuple[Any, ...]:
    """The function that draws the picture, and what it is given."""
    given = (in_words(getattr(drawing, field.name), words) for field in fields(drawing))
    return _function(drawing), *given


def in_words(value: Any, words: Words) -> Any:
    """The same value with strings in place of phrases, and arrays of NumPy."""
    if isinstance(value, PHRASES):
        return words(value)
    if isinstance(value, Array):
        return value.numpy
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(in_words(inner, words) for inner in value))
    if isinstance(value, tuple):
        return tuple(in_words(inner, words) for inner in value)
    if is_dataclass(value) and not isinstance(value, type):
        given = {f.name: in_words(getattr(value, f.name), words) for f in fields(value)}
        return type(value)(**given)
    return value


def _function(drawing: Drawing) -> Callable[..., bytes]:
    """Return the function that draws it; its parameters are the fields, in their order."""
    from labreport.render.figures import (
        curve_figure,
        fit_figure,
        gradient_differences,
        landscape_figure,
        layer_heatmap,
        network_drawing,
        panels,
        picture_figure,
        region_figure,
        start_distribution,
        sweep_figure,
    )

    functions: dict[str, Callable[..., bytes]] = {
        "CurveDrawing": curve_figure.curve_figure,
        "DifferenceDrawing": gradient_differences.difference_figure,
        "FitDrawing": fit_figure.fit_figure,
        "HeatmapDrawing": layer_heatmap.layers_figure,
        "LandscapeDrawing": landscape_figure.landscape_figure,
        "NetworkDrawing": network_drawing.network_figure,
        "PicturesDrawing": picture_figure.picture_figure,
        "RegionsDrawing": region_figure.region_figure,
        "SizesDrawing": panels.sizes_figure,
        "StartsDrawing": start_distribution.starts_figure,
        "SweepDrawing": sweep_figure.sweep_figure,
        "WeightsDrawing": panels.weights_figure,
    }
    return functions[type(drawing).__name__]
