"""Results as charts: SVG whose colours are those of the page that they stand in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt
import vl_convert

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from report.results import Result

# A phone shows it without shrinking it much; a wide screen shows two beside each other.
_WIDTH = 380
_AXES = 115
_LABEL = 60
_FONT = 12
_MOST_BARS = 20
_INK, _SOFT, _LINE = "var(--ink)", "var(--soft)", "var(--line)"
_FIRST, _SECOND = "var(--first)", "var(--second)"


def chart_of(name: str, result: Result) -> str | None:
    """Return the SVG of a query's result, or None for a query that has a table only."""
    draw = _CHARTS.get(name)
    if draw is None or not result.rows:
        return None
    chart = draw(result).configure(
        autosize=alt.AutoSizeParams(type="pad"),
        aria=False,  # the page describes the whole
        background="transparent",
        font="sans-serif",
        # Fonts differ: a reader's may be wider than the one that this is measured with.
        padding={"left": 14, "top": 2, "right": 10, "bottom": 2},
    )
    chart = chart.configure_view(stroke=None)
    chart = chart.configure_axis(
        domainColor=_LINE,
        gridColor=_LINE,
        labelColor=_INK,
        labelFontSize=_FONT,
        tickColor=_LINE,
        title=None,
    )
    chart = chart.configure_header(
        labelAnchor="start",
        labelColor=_INK,
        labelFontSize=_FONT,
        labelFontWeight="bold",
        title=None,
    )
    chart = chart.configure_legend(
        labelColor=_INK, labelFontSize=_FONT, orient="top", symbolStrokeWidth=3, title=None
    )
    svg: str = vl_convert.vegalite_to_svg(chart.to_json())
    return svg


def _age(result: Result) -> alt.FacetChart:
    return _bars_across(result, "late_by", "open_value")


def _cost_centres(result: Result) -> alt.FacetChart:
    return _bars_across(result, "cost_centre", "spend")


def _bars_across(result: Result, category: str, amount: str) -> alt.FacetChart:
    """Return a bar for each row, with its amount beside it; a panel for each currency."""
    values = [
        {
            "currency": row["currency"] or "no currency",
            "category": row[category],
            "amount": float(row[amount] or 0),
            "label": f"{row[amount] or 0:,.0f}",
        }
        for row in result.records(_MOST_BARS)
    ]
    base = alt.Chart({"values": values}, width=_WIDTH - _AXES, height=alt.Step(22)).encode(
        alt.X("amount:Q", axis=None, scale=alt.Scale(range=[0, _WIDTH - _AXES - _LABEL])),
        alt.Y("category:N", sort=None, axis=alt.Axis(domain=False, ticks=False, labelLimit=_AXES)),
    )
    bars = base.mark_bar(color=_FIRST, cornerRadius=2)
    labels = base.mark_text(align="left", dx=4, color=_INK, fontSize=_FONT).encode(text="label:N")
    return _by_currency(alt.layer(bars, labels))


def _months(result: Result) -> alt.FacetChart:
    values = [
        {
            "currency": row["currency"],
            "month": f"{row['month']:%b %Y}" + ("" if row["is_over"] else " so far"),
            "is_over": row["is_over"],
            "amount": float(row["spend"]),
        }
        for row in sorted(result.records(), key=lambda row: row["month"])
    ]
    bars = (
        alt.Chart({"values": values}, width=_WIDTH - 65, height=110)
        .mark_bar(color=_FIRST, cornerRadius=2)
        .encode(
            alt.X(
                "month:N",
                sort=None,
                axis=alt.Axis(grid=False, labelAngle=0, labelExpr="split(datum.label, ' ')"),
            ),
            alt.Y("amount:Q", axis=alt.Axis(format="~s", tickCount=4, domain=False)),
            # A month that is not over is pale.
            opacity=alt.condition("datum.is_over", alt.value(1), alt.value(0.45)),
        )
    )
    return _by_currency(bars)


def _rates(result: Result) -> alt.LayerChart:
    values = [
        {
            "week": row["week_of_order"].isoformat(),
            "is_over": row["is_over"],
            "rate": label,
            "share": float(row[column]),
        }
        for row in reversed(result.records())
        for label, column in (("confirmed", "confirmation_rate"), ("filled", "fill_rate"))
        if row["week_of_order"] and row[column] is not None
    ]
    base = alt.Chart({"values": values}, width=_WIDTH - 65, height=190).encode(
        alt.X(
            "week:T",
            scale=alt.Scale(type="utc"),
            axis=alt.Axis(
                format="%-d %b %Y",
                grid=False,
                labelExpr="[timeFormat(datum.value, '%-d %b'), timeFormat(datum.value, '%Y')]",
                labelOverlap=True,
                labelSeparation=12,
                tickCount=6,
            ),
        ),
        alt.Y(
            "share:Q",
            scale=alt.Scale(domain=[0, 1]),
            axis=alt.Axis(format="%", tickCount=5, domain=False),
        ),
        alt.Color(
            "rate:N",
            scale=alt.Scale(domain=["confirmed", "filled"], range=[_FIRST, _SECOND]),
        ),
    )
    # A week that is not over is pale.
    points = base.mark_point(filled=True, size=28).encode(
        opacity=alt.condition("datum.is_over", alt.value(1), alt.value(0.45))
    )
    layers: alt.LayerChart = alt.layer(base.mark_line(strokeWidth=2), points)  # type: ignore[assignment]
    return layers


def _by_currency(chart: Any) -> alt.FacetChart:
    # Amounts in different currencies share no axis.
    panels: alt.FacetChart = chart.facet(
        row=alt.Row("currency:N", header=alt.Header(labelOrient="top")), spacing=14
    ).resolve_scale(x="independent", y="independent")
    return panels


_CHARTS: Mapping[str, Callable[[Result], Any]] = {
    "open_value_by_age": _age,
    "rates_by_week": _rates,
    "spend_by_cost_centre": _cost_centres,
    "spend_by_month": _months,
}
