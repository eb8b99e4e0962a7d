"""The procedures, an investigation and a certificate of Metalnorte."""

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

COMPANY = "Metalnorte"

HOT_WORK: tuple[Block, ...] = (
    Paragraph(
        "SEG-PR-004, revisão 4, de 17 de fevereiro de 2025. Responsável: Helena Barros, "
        "engenheira de segurança. Vale para solda, corte, esmerilhamento e maçarico fora "
        "da oficina de solda."
    ),
    Heading("Permissão"),
    Paragraph(
        "A Permissão de Trabalho a Quente (PTQ) é emitida pelo líder do turno e vale por "
        "no máximo 4 horas. Uma via fica no local e outra na sala de segurança. Depois de "
        "uma pausa maior que 60 minutos é preciso emitir outra permissão."
    ),
    Heading("Preparação da área"),
    Bullets(
        (
            "Retirar materiais combustíveis num raio de 11 metros ou cobri-los com manta.",
            "Fechar ralos e aberturas de piso e parede.",
            "Medir gases inflamáveis: só começar com menos de 5% do LIE.",
            "Deixar dois extintores de pó de 6 kg a menos de 3 metros.",
            "Isolar os detectores de fumaça da zona e avisar a portaria.",
        ),
        numbered=True,
    ),
    Heading("Vigia de fogo"),
    Paragraph(
        "O vigia de fogo acompanha todo o trabalho e continua no local por 60 minutos "
        "depois do fim. Em seguida, uma nova ronda é feita após mais 3 horas. O vigia tem "
        "treinamento de brigada e rádio no canal 4."
    ),
    Heading("Cilindros de gás"),
    Table(
        ("Item", "Regra"),
        (
            ("Acetileno", "em pé, preso com corrente, pressão de até 1,5 bar"),
            ("Distância entre oxigênio e acetileno guardados", "6 metros"),
            ("Válvula contra retrocesso", "nas duas mangueiras, troca a cada 5 anos"),
            ("Mangueiras", "inspeção mensal, sem emendas"),
        ),
    ),
    Heading("Onde é proibido"),
    Paragraph(
        "Não se faz trabalho a quente na sala de lubrificantes, no depósito de tintas e a "
        "menos de 15 metros do tanque de diesel TD-01."
    ),
)

INSPECTION: tuple[Block, ...] = (
    Paragraph(
        "QUA-PR-003, revisão 7, de 4 de novembro de 2024. Responsável: Beatriz Lemos, "
        "gerente da qualidade."
    ),
    Heading("Amostragem"),
    Table(
        ("Tamanho do lote", "Amostra", "Aceita com até", "Rejeita a partir de"),
        (
            ("até 50", "8 peças", "0 defeito", "1 defeito"),
            ("51 a 150", "20 peças", "1 defeito", "2 defeitos"),
            ("151 a 500", "50 peças", "2 defeitos", "3 defeitos"),
            ("acima de 500", "80 peças", "3 defeitos", "4 defeitos"),
        ),
    ),
    Heading("Sucata e ligas"),
    Paragraph(
        "Cada carga de sucata passa pelo portal de radiação. O limite é de duas vezes o "
        "valor de fundo. O estanho para o bronze CuSn10 precisa de certificado com pureza "
        "mínima de 99,85%. Sem certificado, a carga espera na baia 6."
    ),
    Heading("Areia de fundição"),
    Paragraph(
        "A umidade máxima é de 0,4% e o módulo de finura fica entre 50 e 60 AFS. O ensaio "
        "é feito em cada caminhão, com amostra de 2 kg, e leva 25 minutos."
    ),
    Heading("Fornecedor em regime especial"),
    Paragraph(
        "Depois de dois lotes rejeitados em seis meses, o fornecedor entra em inspeção de "
        "100% por cinco lotes. O custo da inspeção, de R$ 95,00 por hora, é cobrado dele."
    ),
)

FORKLIFT: tuple[Block, ...] = (
    Paragraph(
        "Forklift EM-04 hit a rack in shed C on 12 February 2025 at 10:18. Confidential. "
        "Board: Helena Barros, Grace Kim, Daniel Okafor. Final report of 5 March 2025."
    ),
    Heading("What happened"),
    Paragraph(
        "The driver, Jonas Prado, reversed with a pallet of 1,180 kg. The left rear tyre "
        "was cut and the truck swerved. It hit the upright of rack R-14. Two boxes fell; "
        "nobody was hurt. Damage to the rack and goods was R$ 23,750."
    ),
    Heading("Root causes"),
    Bullets(
        (
            "Burrs from machining lay in the yard because the sweeping round was skipped.",
            "The pre-use check of the tyres was signed without being done.",
            "Speed was 14 km/h where 8 km/h is allowed inside sheds.",
            "Rack R-14 had no upright protector.",
        )
    ),
    Heading("Actions"),
    Table(
        ("Action", "Owner", "Due"),
        (
            ("Sweep the yard twice per shift", "Daniel Okafor", "28 February 2025"),
            ("Speed limiter on all five forklifts", "Grace Kim", "30 May 2025"),
            ("Upright protectors in sheds B and C", "Helena Barros", "15 April 2025"),
            ("Spot checks of the pre-use sheet", "Wagner Teles", "permanent"),
        ),
    ),
    Heading("Measures for people"),
    Paragraph(
        "The driver's blue card was suspended for 30 days and he repeated the 16-hour "
        "forklift course."
    ),
)

CERTIFICATE: tuple[Block, ...] = (
    Heading("Instrumento"),
    Paragraph(
        "Transmissor de pressão PT-1103, faixa de 0 a 16 bar, saída de 4 a 20 mA, número "
        "de série 55-20931. Instalado na descarga da bomba P-101. Calibrado em 11 de "
        "fevereiro de 2025 por Renata Queiroz, Metrolab Manaus. Próxima calibração em 11 "
        "de fevereiro de 2026."
    ),
    Heading("Condições"),
    Paragraph(
        "Temperatura de 22,1 °C e umidade de 51%. Padrão: balança de pressão BP-03, com "
        "incerteza de 0,02%."
    ),
    Heading("Resultados"),
    Table(
        ("Pressão aplicada (bar)", "Saída (mA)", "Erro (% da faixa)"),
        (
            ("0,00", "4,003", "0,02"),
            ("4,00", "8,011", "0,07"),
            ("8,00", "12,018", "0,11"),
            ("12,00", "16,021", "0,13"),
            ("16,00", "20,029", "0,18"),
        ),
    ),
    Heading("Parecer"),
    Paragraph(
        "Aprovado. O erro máximo foi de 0,18% da faixa e o limite é de 0,25%. Não foi "
        "feito ajuste. A incerteza expandida é de 0,05% (k=2)."
    ),
)


def write_hot_work(folder: Path) -> None:
    """Write the hot work procedure, in Portuguese."""
    docx(
        folder / "safety/trabalho-a-quente.docx",
        "Trabalho a quente",
        HOT_WORK,
        company=COMPANY,
        subtitle="SEG-PR-004",
        lang="pt",
    )


def write_incoming_inspection(folder: Path) -> None:
    """Write the incoming inspection procedure, in Portuguese."""
    docx(
        folder / "quality/inspecao-recebimento.docx",
        "Inspeção de recebimento de materiais",
        INSPECTION,
        company=COMPANY,
        subtitle="QUA-PR-003",
        lang="pt",
    )


def write_forklift_incident(folder: Path) -> None:
    """Write an incident investigation (restricted to the investigation board)."""
    docx(
        folder / "incidents/inc-2025-003-forklift.docx",
        "Incident investigation INC-2025-003",
        FORKLIFT,
        company=COMPANY,
        subtitle="INC-2025-003",
    )


def write_certificate(folder: Path) -> None:
    """Write the calibration certificate of a pressure transmitter, in Portuguese."""
    pdf(
        folder / "calibration/cal-pt-1103.pdf",
        "Certificado de calibração MET-25-0098",
        CERTIFICATE,
        company="Metrolab Manaus",
        subtitle="Cliente: Metalnorte",
        cover=False,
        lang="pt",
    )
