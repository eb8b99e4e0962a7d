"""The supplier contracts of Casa Verde, which only its commercial department may read."""

from __future__ import annotations

from pathlib import Path

from examples.generators.paper import (
    Block,
    Heading,
    Paragraph,
    Table,
    docx,
)

COMPANY = "Casa Verde"

FERRAMAX: tuple[Block, ...] = (
    Paragraph(
        "Contrato CF-2025-014 entre Casa Verde Comércio Ltda. e FerraMax Ferramentas S.A., "
        "assinado em 15 de janeiro de 2025 por Teresa Vidal, diretora comercial. "
        "Confidencial."
    ),
    Heading("Prazo e volume"),
    Paragraph(
        "O contrato vale de 1º de fevereiro de 2025 a 31 de janeiro de 2027. A Casa Verde "
        "compra no mínimo 9.000 máquinas por ano, das quais 3.500 da linha FM-500 e FM-550."
    ),
    Heading("Preços e bonificação"),
    Paragraph(
        "O preço é reajustado uma vez por ano, em fevereiro, com teto de 5%. A bonificação "
        "anual é de 4,5% sobre as compras que passarem de R$ 3.000.000,00 e de 6% acima de "
        "R$ 5.000.000,00. A verba de propaganda é de R$ 180.000,00 por ano."
    ),
    Heading("Pagamento e entrega"),
    Paragraph(
        "O pagamento é feito em 60 dias. A entrega em Cajamar ocorre em até 12 dias "
        "corridos depois do pedido. O atraso gera multa de 0,5% por dia, limitada a 10% do "
        "valor do pedido."
    ),
    Heading("Qualidade"),
    Paragraph(
        "Se mais de 3% das máquinas de um lote voltarem com defeito em seis meses, a "
        "FerraMax recolhe o lote e paga R$ 35,00 por troca atendida na loja."
    ),
    Heading("Rescisão"),
    Paragraph(
        "Qualquer parte pode rescindir com aviso de 120 dias. A exclusividade de cor verde "
        "da linha FM-550 termina junto com o contrato."
    ),
)

LUMINA: tuple[Block, ...] = (
    Paragraph(
        "Agreement CF-2024-031 between Casa Verde Comércio Ltda. and Lumina Iluminação "
        "Ltda., signed on 3 June 2024 by Teresa Vidal. Confidential."
    ),
    Heading("Term"),
    Paragraph("The agreement runs for 24 months from 1 July 2024 to 30 June 2026."),
    Heading("Terms of trade"),
    Table(
        ("Clause", "Agreed value"),
        (
            ("Payment term", "45 days after receipt"),
            ("Annual rebate", "3% of all purchases"),
            ("Late delivery penalty", "1% per week, at most 6%"),
            ("Minimum order", "R$ 40,000 per container"),
            ("Price review", "every six months, linked to the dollar"),
        ),
    ),
    Heading("Returns"),
    Paragraph(
        "Lumina credits defective LED lamps without inspection up to 1.5% of the pieces "
        "delivered in a quarter. Above that share it inspects the lamps within 15 days."
    ),
    Heading("Design protection"),
    Paragraph(
        "The Aurora pendant lamp is sold in Brazil only by Casa Verde until 31 December "
        "2025. Lumina may sell its other lamps to anyone."
    ),
)


def write_contracts(folder: Path) -> None:
    """Write two supplier contracts (restricted to the commercial department)."""
    docx(
        folder / "suppliers/contrato-ferramax-2025.docx",
        "Contrato de fornecimento FerraMax 2025",
        FERRAMAX,
        company=COMPANY,
        subtitle="CF-2025-014",
        lang="pt",
    )
    docx(
        folder / "suppliers/contract-lumina-2024.docx",
        "Supply agreement Lumina 2024",
        LUMINA,
        company=COMPANY,
        subtitle="CF-2024-031",
    )
