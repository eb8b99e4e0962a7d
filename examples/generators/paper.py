"""Write PDF, DOCX and XLSX files from plain values, always with the same bytes.

A company's module holds content (headings, paragraphs, tables); the layout lives in `portable`
(PDF) and `office` (DOCX, XLSX). Import everything from here:
`pdf(path, title, blocks, company=…)`, `docx(…)`, `xlsx(path, sheets, title=…, company=…)`.
"""

from examples.generators.blocks import Block as Block
from examples.generators.blocks import Bullets as Bullets
from examples.generators.blocks import Cell as Cell
from examples.generators.blocks import Circle as Circle
from examples.generators.blocks import Drawing as Drawing
from examples.generators.blocks import Heading as Heading
from examples.generators.blocks import Label as Label
from examples.generators.blocks import Line as Line
from examples.generators.blocks import PageBreak as PageBreak
from examples.generators.blocks import Paragraph as Paragraph
from examples.generators.blocks import Rect as Rect
from examples.generators.blocks import Sheet as Sheet
from examples.generators.blocks import Table as Table
from examples.generators.office import docx as docx
from examples.generators.office import xlsx as xlsx
from examples.generators.portable import pdf as pdf
