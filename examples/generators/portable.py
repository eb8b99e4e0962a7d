"""Lay out blocks as a PDF: cover, running header, page numbers, tables, vector drawings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from reportlab.graphics import shapes  # type: ignore[import-untyped]
from reportlab.lib import colors  # type: ignore[import-untyped]
from reportlab.lib.pagesizes import A4  # type: ignore[import-untyped]
from reportlab.lib.styles import ParagraphStyle  # type: ignore[import-untyped]
from reportlab.lib.units import mm  # type: ignore[import-untyped]
from reportlab.pdfbase.pdfmetrics import stringWidth  # type: ignore[import-untyped]
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]
from reportlab.platypus import (  # type: ignore[import-untyped]
    BaseDocTemplate,
    Flowable,
    Frame,
    KeepTogether,
    ListFlowable,
    ListItem,
    NextPageTemplate,
    PageTemplate,
    Spacer,
)
from reportlab.platypus import PageBreak as PdfPageBreak
from reportlab.platypus import Paragraph as PdfParagraph
from reportlab.platypus import Table as PdfTable

from examples.generators.blocks import (
    NUMBER,
    Block,
    Bullets,
    Circle,
    Drawing,
    Heading,
    Label,
    Line,
    PageBreak,
    Paragraph,
    Rect,
    Table,
)

INK = colors.HexColor("#1f2a44")
GREY = colors.HexColor("#5b6475")
STRIPE = colors.HexColor("#eef1f6")
TEXT_WIDTH = A4[0] - 44 * mm


def pdf(
    path: Path,
    title: str,
    blocks: Sequence[Block],
    *,
    company: str,
    subtitle: str = "",
    cover: bool = True,
    lang: str = "en",
) -> None:
    """Write a PDF with a cover (or a title line), a running header and page numbers.

    `subtitle` may hold several lines; `lang` ("en" or "pt") is declared in the file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    document = BaseDocTemplate(
        str(path),
        pagesize=A4,
        leftMargin=22 * mm,
        rightMargin=22 * mm,
        topMargin=26 * mm,
        bottomMargin=22 * mm,
        title=title,
        author=company,
        lang="pt-BR" if lang == "pt" else "en-US",
        invariant=1,
    )
    frame = Frame(22 * mm, 22 * mm, TEXT_WIDTH, A4[1] - 48 * mm, 0, 0, 0, 0, id="body")
    cover_page = partial(_draw_cover, title=title, subtitle=subtitle, company=company)
    body_page = partial(_draw_furniture, title=title, company=company, lang=lang)
    pages = [PageTemplate("body", [frame], onPage=body_page)]
    story: list[Flowable] = []
    if cover:
        pages.insert(0, PageTemplate("cover", [frame], onPage=cover_page))
        story += [NextPageTemplate("body"), PdfPageBreak()]
    else:
        story.append(PdfParagraph(_markup(title), _style("title")))
        story += [PdfParagraph(_markup(s), _style("note")) for s in subtitle.split("\n") if s]
    document.addPageTemplates(pages)
    for block in blocks:
        story += _flowables(block)
    document.build(story)


def _style(name: str) -> ParagraphStyle:
    """A paragraph style by name: body, title, h1, h2, h3, cell, head, caption or note."""
    made = partial(ParagraphStyle, name, fontName="Helvetica", textColor=colors.black)
    bold = "Helvetica-Bold"
    styles = {
        "body": made(fontSize=9.6, leading=13.6, spaceAfter=7),
        "title": made(fontName=bold, fontSize=17, leading=22, spaceAfter=4, textColor=INK),
        "h1": made(
            fontName=bold,
            fontSize=14,
            leading=18,
            spaceBefore=14,
            spaceAfter=7,
            textColor=INK,
            keepWithNext=1,
        ),
        "h2": made(
            fontName=bold,
            fontSize=11.2,
            leading=15,
            spaceBefore=9,
            spaceAfter=5,
            textColor=INK,
            keepWithNext=1,
        ),
        "h3": made(
            fontName=bold, fontSize=9.8, leading=13, spaceBefore=6, spaceAfter=3, keepWithNext=1
        ),
        "cell": made(fontSize=8.4, leading=10.6),
        "head": made(fontName=bold, fontSize=8.4, leading=10.6, textColor=colors.white),
        "caption": made(
            fontName="Helvetica-Oblique", fontSize=8.4, leading=11, spaceAfter=8, textColor=GREY
        ),
        "note": made(fontSize=9, leading=12, spaceAfter=3, textColor=GREY),
    }
    return styles[name]


def _markup(text: str) -> str:
    """Text for reportlab's little markup language: a lone `&` or `<` stays itself."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"&lt;(/?[bi])>", r"<\1>", escaped)


def _flowables(block: Block) -> list[Flowable]:
    match block:
        case Heading(text, level):
            return [PdfParagraph(_markup(text), _style(f"h{min(level, 3)}"))]
        case Paragraph(text):
            return [PdfParagraph(_markup(text), _style("body"))]
        case Bullets(items, numbered):
            return [_list(items, numbered)]
        case Table():
            return _table(block)
        case Drawing():
            return [KeepTogether([_drawing(block), *_caption(block.caption), Spacer(1, 6)])]
        case PageBreak():
            return [PdfPageBreak()]


def _caption(text: str) -> list[Flowable]:
    return [PdfParagraph(_markup(text), _style("caption"))] if text else []


def _list(items: tuple[str, ...], numbered: bool) -> Flowable:
    style = ParagraphStyle("item", parent=_style("body"), spaceAfter=3)
    entries = [ListItem(PdfParagraph(_markup(item), style), leftIndent=16) for item in items]
    kind = "1" if numbered else "bullet"
    options = {} if numbered else {"start": "•"}
    return ListFlowable(entries, bulletType=kind, leftIndent=16, bulletFontSize=9.6, **options)


def _table(table: Table) -> list[Flowable]:
    columns = list(zip(*table.rows, strict=True))
    numeric = [all(NUMBER.match(cell) or not cell for cell in column) for column in columns]
    head = _style("head")
    right = ParagraphStyle("head-right", parent=head, alignment=2)
    data: list[list[object]] = [
        [
            PdfParagraph(_markup(h), right if n else head)
            for h, n in zip(table.header, numeric, strict=True)
        ]
    ]
    for row in table.rows:
        bold = row[0] in table.bold
        style = ParagraphStyle("cell-bold", parent=_style("cell"), fontName="Helvetica-Bold")
        cell_style = style if bold else _style("cell")
        data.append(
            [
                c if n else PdfParagraph(_markup(c), cell_style)
                for c, n in zip(row, numeric, strict=True)
            ]
        )
    look: list[tuple[object, ...]] = [
        ("FONT", (0, 0), (-1, -1), "Helvetica", 8.4),
        ("BACKGROUND", (0, 0), (-1, 0), INK),
        ("ROWBACKGROUNDS", (0, 1), (-1, -1), [colors.white, STRIPE]),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("TOPPADDING", (0, 0), (-1, -1), 3),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
        ("LINEBELOW", (0, -1), (-1, -1), 0.6, INK),
    ]
    look += [("ALIGN", (i, 1), (i, -1), "RIGHT") for i, n in enumerate(numeric) if n]
    look += [
        ("FONT", (0, i), (-1, i), "Helvetica-Bold", 8.4)
        for i, row in enumerate(table.rows, 1)
        if row[0] in table.bold
    ]
    drawn = PdfTable(
        data, colWidths=_widths(table, numeric), repeatRows=1, style=look, spaceAfter=6
    )
    caption = PdfParagraph(_markup(table.caption), _style("h3"))
    return [*([caption] if table.caption else []), drawn, Spacer(1, 4)]


def _widths(table: Table, numeric: Sequence[bool]) -> list[float]:
    """Column widths (points): numbers get what they need, text shares the rest."""
    need: list[float] = []
    for i, (name, number) in enumerate(zip(table.header, numeric, strict=True)):
        widest = max(stringWidth(row[i], "Helvetica-Bold", 8.4) for row in table.rows)
        words = max(stringWidth(w, "Helvetica-Bold", 8.4) for w in [*name.split(), "W"])
        full = stringWidth(name, "Helvetica-Bold", 8.4)
        need.append(max(widest, words, full if number else min(full, 90)) + 14)
    spare = TEXT_WIDTH - sum(need)
    if spare >= 0:
        return [*need[:-1], need[-1]] if spare < 20 else [need[0] + spare, *need[1:]]
    flexible = sum(w for w, n in zip(need, numeric, strict=True) if not n and w > 130)
    return [
        w + spare * w / flexible if flexible and not n and w > 130 else w
        for w, n in zip(need, numeric, strict=True)
    ]


def _drawing(drawing: Drawing) -> shapes.Drawing:
    canvas = shapes.Drawing(drawing.width, drawing.height)
    for part in drawing.parts:
        for shape in _shapes(part):
            canvas.add(shape)
    return canvas


def _shapes(part: Rect | Circle | Line | Label) -> list[shapes.Shape]:
    text = partial(shapes.String, fontName="Helvetica", fontSize=8.2)
    match part:
        case Rect(x, y, width, height, label):
            box = shapes.Rect(x, y, width, height, fillColor=STRIPE, strokeColor=INK)
            return [box, text(x + width / 2, y + height / 2 - 3, label, textAnchor="middle")]
        case Circle(x, y, radius, label):
            ring = shapes.Circle(x, y, radius, fillColor=colors.white, strokeColor=INK)
            return [ring, text(x, y - 3, label, textAnchor="middle")]
        case Line(x1, y1, x2, y2, arrow):
            line = shapes.Line(x1, y1, x2, y2, strokeColor=INK, strokeWidth=1)
            return [line, _arrow_head(x1, y1, x2, y2)] if arrow else [line]
        case Label(x, y, words):
            return [text(x, y, words)]


def _arrow_head(x1: float, y1: float, x2: float, y2: float) -> shapes.Polygon:
    length = max(((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5, 1e-6)
    dx, dy = (x2 - x1) / length, (y2 - y1) / length
    back_x, back_y = x2 - 6 * dx, y2 - 6 * dy
    points = [x2, y2, back_x - 3 * dy, back_y + 3 * dx, back_x + 3 * dy, back_y - 3 * dx]
    return shapes.Polygon(points, fillColor=INK, strokeColor=INK)


def _draw_cover(
    canvas: Canvas, _document: object, *, title: str, subtitle: str, company: str
) -> None:
    width, height = A4
    canvas.setFillColor(INK)
    canvas.rect(0, height - 70 * mm, width, 70 * mm, stroke=0, fill=1)
    canvas.setFillColor(colors.white)
    canvas.setFont("Helvetica-Bold", 16)
    canvas.drawString(22 * mm, height - 40 * mm, company)
    canvas.setFillColor(INK)
    heading = PdfParagraph(
        _markup(title), ParagraphStyle("cover", fontName="Helvetica-Bold", fontSize=28, leading=34)
    )
    _, used = heading.wrap(TEXT_WIDTH, 200 * mm)
    heading.drawOn(canvas, 22 * mm, height - 105 * mm - used)
    canvas.setFillColor(GREY)
    canvas.setFont("Helvetica", 12)
    for i, line in enumerate(subtitle.split("\n")):
        canvas.drawString(22 * mm, height - 118 * mm - used - i * 18, line)


def _draw_furniture(
    canvas: Canvas, _document: object, *, title: str, company: str, lang: str
) -> None:
    width, height = A4
    canvas.setFont("Helvetica", 8)
    canvas.setFillColor(GREY)
    canvas.drawString(22 * mm, height - 15 * mm, company)
    canvas.drawRightString(width - 22 * mm, height - 15 * mm, title)
    canvas.setStrokeColor(GREY)
    canvas.line(22 * mm, height - 17 * mm, width - 22 * mm, height - 17 * mm)
    page = "Página" if lang == "pt" else "Page"
    canvas.drawCentredString(width / 2, 12 * mm, f"{page} {canvas.getPageNumber()}")
