"""The manual of press PR-07, in Portuguese."""

from __future__ import annotations

from pathlib import Path

from examples.generators.paper import (
    Block,
    Bullets,
    Drawing,
    Heading,
    Label,
    Line,
    Paragraph,
    Rect,
    Table,
    pdf,
)

COMPANY = "Metalnorte"

PRESS: tuple[Block, ...] = (
    Heading("1 Apresentação"),
    Paragraph(
        "A PR-07 é uma prensa hidráulica de 400 toneladas, fabricada em 2016 e reformada "
        "em 2022. Ela conforma suportes e flanges de aço de até 12 mm de espessura. O "
        "número de série é HX400-1187. Este manual substitui a folha colada na porta do "
        "painel."
    ),
    Drawing(
        360,
        190,
        (
            Rect(90, 10, 180, 30, "mesa"),
            Rect(90, 140, 180, 36, "cilindro e cabeçote"),
            Rect(110, 80, 140, 26, "martelo"),
            Line(180, 140, 180, 106, arrow=True),
            Rect(290, 20, 60, 60, "TQ-04"),
            Line(290, 70, 230, 145),
            Label(5, 95, "cortina CL-07"),
            Line(70, 40, 70, 140),
        ),
        caption="Figura 1: vista frontal da prensa e do tanque de óleo TQ-04",
    ),
    Heading("2 Dados técnicos"),
    Table(
        ("Característica", "Valor", "Observação"),
        (
            ("Força nominal", "400 t", "com 240 bar"),
            ("Pressão máxima do sistema", "250 bar", "válvula de alívio lacrada"),
            ("Curso do martelo", "600 mm", "ajustável"),
            ("Velocidade de aproximação", "180 mm/s", ""),
            ("Velocidade de prensagem", "12 mm/s", "com carga"),
            ("Volume do tanque TQ-04", "850 litros", "óleo ISO VG 68"),
            ("Motor principal", "75 kW", "440 V, 60 Hz"),
            ("Massa da máquina", "21,5 t", "sem ferramenta"),
        ),
    ),
    Heading("3 Segurança"),
    Paragraph(
        "A prensa só funciona com comando bimanual e com a cortina de luz CL-07 ativa. O "
        "martelo para em até 180 ms quando a cortina é interrompida. É proibido colocar as "
        "mãos na área da ferramenta, mesmo com a máquina parada, sem o calço de segurança "
        "amarelo. Toda intervenção segue o bloqueio e a etiquetagem da SEG-PR-002."
    ),
    Bullets(
        (
            "Teste a cortina de luz no início de cada turno com o bastão de 30 mm.",
            "Teste o botão de emergência uma vez por semana.",
            "Se a máquina parar por alarme, não religue antes de encontrar a causa.",
        )
    ),
    Heading("4 Partida e parada"),
    Bullets(
        (
            "Verifique o nível do óleo: entre as marcas do visor, nunca abaixo de 780 l.",
            "Abra o ar comprimido e confirme pelo menos 5,5 bar.",
            "Ligue a bomba e espere o óleo chegar a 35 °C antes do primeiro golpe.",
            "Faça três golpes em vazio e ouça se há ruído diferente.",
            "Para parar, desça o martelo sobre o calço e desligue a bomba.",
        ),
        numbered=True,
    ),
    Heading("5 Troca de ferramenta"),
    Paragraph(
        "A troca leva em média 45 minutos e exige duas pessoas. Os parafusos M24 da "
        "ferramenta superior são apertados com 580 N·m e os da ferramenta inferior com "
        "470 N·m, em cruz e em duas etapas. Depois de 50 peças, confira o aperto de novo. "
        "A folga entre punção e matriz é de 6% da espessura da chapa."
    ),
    Heading("6 Alarmes"),
    Table(
        ("Código", "Mensagem", "Causa provável", "O que fazer"),
        (
            ("A12", "óleo quente", "trocador sujo", "parar acima de 65 °C e limpar"),
            ("A15", "nível baixo", "vazamento", "parar e procurar o vazamento"),
            ("A21", "filtro sujo", "elemento saturado", "trocar o elemento FR-10"),
            ("A33", "cortina violada", "corpo na área", "liberar a área e rearmar"),
            ("A34", "falha da cortina", "lente ou cabo", "chamar a manutenção"),
            ("A40", "desvio de paralelismo", "guia gasta", "parar; limite de 0,15 mm"),
        ),
    ),
    Heading("7 Manutenção preventiva"),
    Table(
        ("Tarefa", "Intervalo", "Quem faz"),
        (
            ("Limpar lentes da cortina", "por turno", "operador"),
            ("Lubrificar guias", "8 horas", "operador"),
            ("Trocar filtro de retorno", "1.000 horas", "manutenção"),
            ("Trocar o óleo do tanque", "6.000 horas", "manutenção"),
            ("Trocar anel de vedação do cilindro", "8.000 horas", "manutenção"),
            ("Medir o paralelismo", "semestral", "qualidade"),
        ),
    ),
    Paragraph(
        "O anel de vedação do cilindro tem o código VD-320-07. Na montagem, aqueça o anel "
        "em óleo a 60 °C por 15 minutos e use a luva cônica. Os parafusos da tampa do "
        "cilindro recebem 340 N·m."
    ),
)


def write_press_manual(folder: Path) -> None:
    """Write the manual of press PR-07, in Portuguese."""
    pdf(
        folder / "manuals/manual-prensa-pr-07.pdf",
        "Manual de operação e manutenção da prensa PR-07",
        PRESS,
        company=COMPANY,
        subtitle="Edição 3, março de 2023\nDocumento MAN-PR-07",
        lang="pt",
    )
