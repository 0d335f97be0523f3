"""Small charts as SVG, drawn in a millisecond, for light and dark pages."""

from __future__ import annotations

import html
import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from cluster_sim.views.style import look_of

__all__ = ["BLUE", "GREEN", "GREY", "ORANGE", "Chart", "policy_look"]

Numbers = Sequence[float] | npt.NDArray[np.float64] | npt.NDArray[np.int64]

# Okabe and Ito's, and lighter ones of the same hues for a dark ground.
BLUE = "light-dark(#0072b2, #56b4e9)"
ORANGE = "light-dark(#d55e00, #ff9147)"
GREEN = "light-dark(#00845f, #2fc99a)"
GREY = "light-dark(#5b6470, #a3acb8)"

_LEFT, _RIGHT, _TOP, _BOTTOM = 64.0, 14.0, 12.0, 42.0


@dataclass
class Chart:
    """A chart with two linear or logarithmic axes.

    Parameters
    ----------
    x_range, y_range : (float, float)
    x_label, y_label : str
    title : str
        What it shows, for those who do not see it.
    width, height : float
        Pixels.
    is_y_log : bool

    Examples
    --------
    >>> chart = Chart((0, 1), (0, 10), "load", "slots", "Delay over load")
    >>> chart.line([0, 1], [2, 8], "seen", BLUE)
    >>> chart.svg().startswith('<svg viewBox="0 0 460 300" role="img" aria-label="Delay over load"')
    True
    """

    x_range: tuple[float, float]
    y_range: tuple[float, float]
    x_label: str
    y_label: str
    title: str
    width: float = 460.0
    height: float = 300.0
    is_y_log: bool = False
    _parts: list[str] = field(default_factory=list)
    _legend: list[tuple[str, str, str]] = field(default_factory=list)

    # --- what is drawn --------------------------------------------------------------------------

    def line(
        self, x: Numbers, y: Numbers, label: str, colour: str, *, dash: str = "", width: float = 2.0
    ) -> None:
        """Draw a line; it is broken where a value is not a number.

        Parameters
        ----------
        x, y : float array, shape (n,)
        label : str
            For the legend; empty for none.
        colour : str
        dash : str
            As SVG's ``stroke-dasharray``.
        width : float
        """
        pieces, is_down = [], False
        for px, py in self._points(x, y):
            if math.isnan(py):
                is_down = False
                continue
            pieces.append(f"{'L' if is_down else 'M'}{px:.1f} {py:.1f}")
            is_down = True
        style = f"fill:none;stroke:{colour};stroke-width:{width};stroke-dasharray:{dash or 'none'}"
        self._parts.append(f'<path d="{"".join(pieces)}" style="{style}"/>')
        if label:
            self._legend.append((label, colour, f"line:{dash}"))

    def area(self, x: Numbers, y: Numbers, label: str, colour: str) -> None:
        """Fill what lies within a closed line.

        Parameters
        ----------
        x, y : float array, shape (n,)
        label : str
        colour : str
        """
        points = " ".join(f"{px:.1f},{py:.1f}" for px, py in self._points(x, y))
        self._parts.append(f'<polygon points="{points}" style="fill:{colour};opacity:0.18"/>')
        if label:
            self._legend.append((label, colour, "area"))

    def dots(
        self, x: Numbers, y: Numbers, label: str, colour: str, *, r: float = 4, opacity: float = 1
    ) -> None:
        """Draw dots.

        Parameters
        ----------
        x, y : float array, shape (n,)
        label : str
        colour : str
        r : float
            Radius, pixels.
        opacity : float
        """
        style = f"fill:{colour};opacity:{opacity:g}"
        dots = [
            f'<circle cx="{px:.1f}" cy="{py:.1f}" r="{r:g}" style="{style}"/>'
            for px, py in self._points(x, y)
            if not math.isnan(py)
        ]
        self._parts.append("".join(dots))
        if label:
            self._legend.append((label, colour, "dot"))

    def bar(self, x: float, y: tuple[float, float], colour: str, *, width: float) -> None:
        """Draw a bar.

        Parameters
        ----------
        x : float
            Its middle.
        y : (float, float)
            Where it starts and ends.
        colour : str
        width : float
            In units of x.
        """
        (left, low), (right, high) = self._points([x - width / 2, x + width / 2], [min(y), max(y)])
        box = f'x="{left:.1f}" y="{high:.1f}" width="{right - left:.1f}" height="{low - high:.1f}"'
        self._parts.append(f'<rect {box} style="fill:{colour}"/>')

    def key(self, label: str, colour: str, kind: str = "area") -> None:
        """Add an entry to the legend.

        Parameters
        ----------
        label : str
        colour : str
        kind : str
            ``"area"`` or ``"dot"``.
        """
        self._legend.append((label, colour, kind))

    # --- the whole ------------------------------------------------------------------------------

    def svg(self) -> str:
        """Return the chart as an ``svg`` element, with its legend below.

        Returns
        -------
        str
        """
        size = f'viewBox="0 0 {self.width:g} {self.height:g}"'
        style = f"width:100%;max-width:{self.width * 1.25:g}px;display:block;font:12px system-ui"
        name = html.escape(self.title, quote=True)
        # Outside of the axes nothing is drawn.
        clip = f"clip-{zlib.crc32(f'{self.title}{self.width}{self.height}'.encode()):x}"
        frame = (
            f'<clipPath id="{clip}"><rect x="{_LEFT:g}" y="{_TOP - 6:g}" '
            f'width="{self.width - _LEFT - _RIGHT + 6:g}" '
            f'height="{self.height - _TOP - _BOTTOM + 6:g}"/></clipPath>'
        )
        inner = f'{frame}{self._axes()}<g clip-path="url(#{clip})">{"".join(self._parts)}</g>'
        chart = f'<svg {size} role="img" aria-label="{name}" style="{style}">{inner}</svg>'
        return chart + self._legend_html()

    def _points(self, x: Numbers, y: Numbers) -> list[tuple[float, float]]:
        (x0, x1), (y0, y1) = self.x_range, self.y_range
        wide, tall = self.width - _LEFT - _RIGHT, self.height - _TOP - _BOTTOM
        low, high = self._scaled(y0), self._scaled(y1)
        return [
            (
                _LEFT + (float(a) - x0) / (x1 - x0) * wide,
                _TOP + tall - (self._scaled(float(b)) - low) / (high - low) * tall,
            )
            for a, b in zip(x, y, strict=True)
        ]

    def _scaled(self, value: float) -> float:
        if not self.is_y_log or math.isnan(value):
            return value
        return math.log10(value) if value > 0 else math.nan

    def _axes(self) -> str:
        parts = []
        bottom = self.height - _BOTTOM
        for tick in ticks(*self.x_range):
            ((x, _),) = self._points([tick], [self.y_range[0]])
            parts.append(_text(x, bottom + 16, number(tick), "middle"))
            parts.append(_rule(x, bottom, x, bottom + 4))
        y_ticks = log_ticks(*self.y_range) if self.is_y_log else ticks(*self.y_range)
        for tick in y_ticks:
            ((_, y),) = self._points([self.x_range[0]], [tick])
            parts.append(_text(_LEFT - 7, y + 4, number(tick), "end"))
            parts.append(_rule(_LEFT, y, self.width - _RIGHT, y, 0.16))
        parts.append(_rule(_LEFT, bottom, self.width - _RIGHT, bottom))
        middle = (_LEFT + self.width - _RIGHT) / 2
        parts.append(_text(middle, self.height - 7, self.x_label, "middle"))
        y = (_TOP + bottom) / 2
        turned = f'transform="rotate(-90 13 {y:g})"'
        parts.append(_text(13, y, self.y_label, "middle", turned))
        return "".join(parts)

    def _legend_html(self) -> str:
        items = []
        for label, colour, kind in self._legend:
            if kind.startswith("line"):
                line = "dashed" if kind != "line:" else "solid"
                mark = f"width:1.6em;border-top:3px {line} {colour}"
            elif kind == "dot":
                mark = f"width:.7em;height:.7em;border-radius:50%;background:{colour}"
            else:
                mark = f"width:1em;height:.8em;opacity:.7;background:{colour}"
            items.append(
                '<span style="display:inline-flex;align-items:center;gap:.4em">'
                f'<span style="display:inline-block;{mark}"></span>{html.escape(label)}</span>'
            )
        style = "display:flex;flex-wrap:wrap;gap:.2em 1.2em;font-size:13px;margin:.2em 0 .6em 2em"
        return f'<div style="{style}">{"".join(items)}</div>' if items else ""


def policy_look(policy: str) -> tuple[str, str]:
    """Return colour and dashes of a policy: the same as in every figure and in the replay.

    Parameters
    ----------
    policy : str

    Returns
    -------
    str
        For light and dark grounds.
    str
        As SVG's ``stroke-dasharray``.

    Examples
    --------
    >>> policy_look("priority")
    ('light-dark(#0072B2, #66aad1)', '')
    """
    look = look_of(policy)
    light = [int(look.colour[i : i + 2], 16) for i in (1, 3, 5)]
    share = 0.4 if any(light) else 0.75  # as the replay does: black would stay too dark
    dark = "".join(f"{round(part + (255 - part) * share):02x}" for part in light)
    dashes = {"-": "", "--": "7 3", "-.": "7 3 2 3", ":": "2 3"}
    dash = dashes.get(look.line, "8 2") if isinstance(look.line, str) else "8 2"
    return f"light-dark({look.colour}, #{dark})", dash


def _text(x: float, y: float, words: str, anchor: str, more: str = "") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="currentColor" {more}'
    return f"<text {place}>{html.escape(words)}</text>"


def _rule(x0: float, y0: float, x1: float, y1: float, opacity: float = 0.6) -> str:
    place = f'x1="{x0:.1f}" y1="{y0:.1f}" x2="{x1:.1f}" y2="{y1:.1f}"'
    return f'<line {place} stroke="currentColor" opacity="{opacity:g}"/>'


def number(value: float) -> str:
    """Return a number for an axis.

    Parameters
    ----------
    value : float

    Returns
    -------
    str

    Examples
    --------
    >>> number(0.30000000000000004), number(20.0), number(1e-05)
    ('0.3', '20', '1e-05')
    """
    return f"{value:.6g}"


def ticks(low: float, high: float) -> list[float]:
    """Return round numbers between two, about five.

    Parameters
    ----------
    low, high : float

    Returns
    -------
    list of float

    Examples
    --------
    >>> ticks(0, 1)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    power = 10.0 ** math.floor(math.log10((high - low) / 5))
    step = next(s * power for s in (1, 2, 5, 10) if (high - low) / (s * power) <= 6)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Return the powers of ten between two numbers.

    Parameters
    ----------
    low, high : float
        Above 0.

    Returns
    -------
    list of float

    Examples
    --------
    >>> log_ticks(0.01, 1)
    [0.01, 0.1, 1.0]
    """
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    return [10.0**i for i in range(first, last + 1)]
