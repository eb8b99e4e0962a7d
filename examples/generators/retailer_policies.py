"""The return policy, warranty and receiving papers of Casa Verde."""

from __future__ import annotations

from pathlib import Path

from examples.generators.paper import (
    Block,
    Bullets,
    Heading,
    Paragraph,
    Table,
    docx,
    pdf,
)

COMPANY = "Casa Verde"

RETURNS_2023: tuple[Block, ...] = (
    Paragraph(
        "Versão 3.2, em vigor de 1º de fevereiro de 2023 a 28 de fevereiro de 2025. "
        "Substituída pela versão 4.0. Responsável: Patrícia Nogueira."
    ),
    Heading("Prazo para troca"),
    Paragraph(
        "O cliente pode trocar qualquer produto sem uso em até 30 dias corridos a partir "
        "da data da nota fiscal, somente na loja em que comprou. Para membros Ouro do "
        "Clube Verde o prazo é de 40 dias corridos."
    ),
    Heading("Compras pelo site"),
    Paragraph(
        "Nas compras feitas pelo site o cliente pode desistir em até 7 dias corridos após "
        "o recebimento. O valor é devolvido em até 20 dias úteis."
    ),
    Heading("Produtos com defeito"),
    Paragraph(
        "Produto com defeito de fabricação é trocado na loja em até 30 dias. Depois desse "
        "prazo o cliente é encaminhado à assistência técnica do fabricante."
    ),
    Heading("Sem nota fiscal"),
    Paragraph("Sem a nota fiscal não há troca nem vale-troca."),
    Heading("Vale-troca"),
    Paragraph("O vale-troca vale por 6 meses e pode ser usado uma única vez."),
)

RECEIVING: tuple[Block, ...] = (
    Paragraph(
        "Procedimento LOG-PR-04, revisão 6, de 12 de agosto de 2024. "
        "Responsável: Renato Sato, chefe de logística."
    ),
    Heading("Agendamento"),
    Paragraph(
        "Fornecedores entregam de terça a sexta, das 6h00 às 11h00, com agendamento de "
        "48 horas. A tolerância de atraso é de 30 minutos; depois disso o caminhão espera "
        "uma vaga ou volta no dia seguinte. A doca 2 é reservada a plantas e terra."
    ),
    Heading("Conferência"),
    Bullets(
        (
            "Comparar a nota fiscal com o pedido no sistema Raiz antes de abrir o baú.",
            "Contar todos os volumes e abrir 10% das caixas, escolhidas ao acaso.",
            "Ler o número de série de ferramentas elétricas e aquecedores.",
            "Medir a temperatura de mudas e flores: recusar se passar de 30 °C.",
        ),
        numbered=True,
    ),
    Heading("Divergências"),
    Table(
        ("Situação", "O que fazer", "Prazo"),
        (
            ("Falta de volumes", "ressalva no canhoto e chamado LOG-7", "no ato"),
            ("Caixa amassada", "abrir, fotografar e aceitar com ressalva", "no ato"),
            ("Produto trocado", "recusar o item e avisar compras", "2 horas"),
            ("Vencido ou sem etiqueta", "recusar a entrega inteira", "no ato"),
        ),
    ),
    Heading("Armazenagem"),
    Paragraph(
        "Latas de tinta são empilhadas em no máximo 4 camadas. Produtos inflamáveis vão "
        "para a gaiola G-3, com até 400 litros no total. A mercadoria conferida deve estar "
        "no sistema até as 13h00 do mesmo dia."
    ),
)

WARRANTY: tuple[Block, ...] = (
    Heading("Regras gerais"),
    Paragraph(
        "Este termo vale para compras feitas a partir de 2 de janeiro de 2025. A garantia "
        "contratual soma-se à garantia legal de 90 dias para bens duráveis. O prazo conta "
        "a partir da data da nota fiscal."
    ),
    Heading("Prazos por categoria"),
    Table(
        ("Categoria", "Garantia contratual", "Garantia estendida", "Onde consertar"),
        (
            ("Ferramentas elétricas", "12 meses", "mais 24 meses", "rede FerraMax"),
            ("Baterias e carregadores", "6 meses", "não há", "troca na loja"),
            ("Iluminação LED", "24 meses", "não há", "troca na loja"),
            ("Aquecedores e ventiladores", "12 meses", "mais 12 meses", "rede TermoLar"),
            ("Máquinas de jardim", "18 meses", "mais 12 meses", "rede Jardimax"),
            ("Móveis de jardim", "36 meses", "não há", "visita técnica"),
        ),
    ),
    Heading("O que a garantia não cobre"),
    Bullets(
        (
            "Desgaste natural de escovas, discos, brocas e fios de nylon.",
            "Ligação em tensão errada e danos causados por raios.",
            "Uso profissional de produtos da linha doméstica.",
            "Máquina aberta por pessoa não autorizada.",
        )
    ),
    Heading("Conserto"),
    Paragraph(
        "A assistência tem 30 dias para devolver o produto consertado. Se passar desse "
        "prazo, o cliente escolhe entre um produto novo, o dinheiro de volta ou um "
        "abatimento no preço. Durante o conserto de máquinas de jardim a loja empresta um "
        "aparelho equivalente, mediante caução de R$ 200,00."
    ),
    Heading("Garantia estendida"),
    Paragraph(
        "A garantia estendida é contratada no caixa e custa 9% do preço do produto. Pode "
        "ser cancelada em até 7 dias com devolução total. Nas furadeiras FM-550 ela é "
        "gratuita para quem registra a ferramenta no site em até 30 dias."
    ),
    Paragraph("Contato: garantia@casaverde.example, com Camila Duarte."),
)


def write_policies(folder: Path) -> None:
    """Write the superseded return policy, the warranty terms and the receiving procedure."""
    docx(
        folder / "policies/politica-trocas-2023.docx",
        "Política de trocas e devoluções",
        RETURNS_2023,
        company=COMPANY,
        subtitle="Versão 3.2 (2023)",
        lang="pt",
    )
    docx(
        folder / "logistics/recebimento-mercadorias.docx",
        "Recebimento de mercadorias nas lojas",
        RECEIVING,
        company=COMPANY,
        subtitle="LOG-PR-04",
        lang="pt",
    )


def write_warranty(folder: Path) -> None:
    """Write the warranty terms, in Portuguese."""
    pdf(
        folder / "policies/termo-de-garantia.pdf",
        "Termo de garantia dos produtos",
        WARRANTY,
        company=COMPANY,
        subtitle="Documento GAR-01, versão de janeiro de 2025",
        cover=False,
        lang="pt",
    )
