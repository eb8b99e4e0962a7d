"""Binary documents of Hospital Santa Clara: protocols, policies, the oncology regimen, formulary."""

from __future__ import annotations

from pathlib import Path

from examples.generators import hospital_protocols
from examples.generators.paper import (
    Block,
    Bullets,
    Heading,
    Paragraph,
    Sheet,
    Table,
    docx,
    xlsx,
)

COMPANY = "Hospital Santa Clara"


def write(folder: Path) -> None:
    """Write every PDF, DOCX and XLSX of the hospital below `folder`, the company's folder."""
    hospital_protocols.write(folder)
    docx(
        folder / "oncology/protocolo-folfox.docx",
        "Protocolo FOLFOX6 modificado",
        _folfox(),
        company=COMPANY,
        subtitle="Oncologia, versão 1.4, 7 de agosto de 2025. Responsável: Dra. Carla Mendes",
        lang="pt",
    )
    docx(
        folder / "pharmacy/controlled/procedimento-psicotropicos.docx",
        "Guarda e dispensação de medicamentos controlados",
        _controlled(),
        company=COMPANY,
        subtitle="Procedimento FAR-008, versão 2.0, 14 de abril de 2025",
        lang="pt",
    )
    docx(
        folder / "hr/politica-vacinacao-colaboradores.docx",
        "Política de Vacinação dos Colaboradores",
        _vaccination(),
        company=COMPANY,
        subtitle="RH-015, versão 1.2, em vigor desde 1º de abril de 2025",
        lang="pt",
    )
    docx(
        folder / "hr/shift-swap-policy.docx",
        "Shift Swap and Overtime Policy",
        _shifts(),
        company=COMPANY,
        subtitle="HR-021, version 3.1, in force since 1 August 2025",
    )
    xlsx(
        folder / "pharmacy/formulary-2025.xlsx",
        _formulary(),
        title="Hospital formulary 2025",
        company=COMPANY,
    )


def _folfox() -> list[Block]:
    return [
        Heading("1 Indicação"),
        Paragraph(
            "Câncer colorretal estádio III (adjuvante, 12 ciclos ou 6 nos de baixo risco) e doença metastática. Intervalo de 14 dias entre os ciclos."
        ),
        Heading("2 Esquema"),
        Table(
            ("Medicamento", "Dose", "Dia", "Infusão"),
            (
                ("Oxaliplatina", "85 mg/m²", "1", "2 horas, em glicose 5%"),
                ("Leucovorina", "400 mg/m²", "1", "2 horas, junto com a oxaliplatina"),
                ("Fluorouracila em bolus", "400 mg/m²", "1", "5 minutos"),
                ("Fluorouracila contínua", "2.400 mg/m²", "1 a 3", "46 horas, em bomba"),
            ),
            "Doses por ciclo",
        ),
        Heading("3 Antes de cada ciclo"),
        Bullets(
            (
                "Neutrófilos de 1.500/mm³ ou mais e plaquetas de 75.000/mm³ ou mais.",
                "Bilirrubina até 1,5 vez o limite superior.",
                "Exame neurológico: formigamento que atrapalha abotoar a roupa é grau 2.",
            )
        ),
        Heading("4 Redução de dose"),
        Paragraph(
            "Neuropatia grau 2 persistente: oxaliplatina a 65 mg/m². Neuropatia grau 3: suspender a oxaliplatina e manter o restante. Neutropenia febril: adiar uma semana e omitir o bolus de fluorouracila. Pacientes com deficiência parcial da enzima DPD começam com 50% da dose de fluorouracila."
        ),
        Heading("5 Extravasamento"),
        Paragraph(
            "Parar a infusão, aspirar, não comprimir. Em extravasamento de oxaliplatina usar calor, nunca frio. Avisar a oncologia pelo ramal 2305, também à noite."
        ),
    ]


def _controlled() -> list[Block]:
    return [
        Heading("1 Guarda"),
        Paragraph(
            "Os medicamentos controlados ficam no cofre da farmácia central e nos armários eletrônicos das unidades. A chave do cofre fica com o farmacêutico do plantão e muda de mãos apenas com contagem conjunta, às 7h e às 19h. A senha do armário é trocada a cada 30 dias."
        ),
        Heading("2 Quem pode retirar"),
        Paragraph(
            "Somente farmacêuticos e enfermeiros habilitados retiram controlados. Estagiários e técnicos não entram na sala do cofre, nem acompanhados."
        ),
        Heading("3 Dispensação"),
        Table(
            ("Medicamento", "Quantidade máxima por prescrição", "Receituário"),
            (
                ("Morfina 10 mg/mL", "10 ampolas", "Amarelo A"),
                ("Fentanila 50 µg/mL", "6 ampolas", "Amarelo A"),
                ("Cetamina 50 mg/mL", "4 frascos", "Branco especial"),
                ("Midazolam 5 mg/mL", "12 ampolas", "Azul B"),
                ("Diazepam 10 mg", "20 comprimidos", "Azul B"),
            ),
            "Limites por prescrição de 24 horas",
        ),
        Heading("4 Sobras e quebras"),
        Paragraph(
            "A sobra de ampola é descartada na presença de uma testemunha, que assina com o próprio código. Quebras são registradas no formulário FAR-8C com os cacos em saco lacrado. Diferença de contagem é comunicada em até uma hora à chefe da farmácia, Renata Figueira, ramal 2150."
        ),
        Heading("5 Inventário"),
        Paragraph(
            "Contagem completa no último domingo do mês, por dois farmacêuticos. O livro é guardado por cinco anos."
        ),
    ]


def _vaccination() -> list[Block]:
    return [
        Heading("1 Vacinas exigidas"),
        Table(
            ("Vacina", "Quem", "Doses", "Reforço"),
            (
                ("Hepatite B", "Todos em contato com pacientes", "3", "conforme anti-HBs"),
                ("Influenza", "Todos", "1", "todo ano, até 31 de maio"),
                ("Tríplice viral", "Nascidos depois de 1960", "2", "não há"),
                ("dTpa", "Todos", "1", "a cada 10 anos"),
                ("Varicela", "Pediatria, oncologia e UTI", "2", "não há"),
            ),
            "Esquema mínimo",
        ),
        Heading("2 Comprovação"),
        Paragraph(
            "O colaborador envia a carteira de vacinação ao ambulatório de saúde ocupacional até dez dias após a admissão. O título anti-HBs é medido de 30 a 60 dias após a terceira dose; abaixo de 10 mUI/mL, repete-se o esquema uma vez."
        ),
        Heading("3 Recusa"),
        Paragraph(
            "Quem recusa uma vacina assina um termo e não trabalha em oncologia, UTI, pediatria nem na central de material. A chefia é informada apenas da restrição, nunca do motivo."
        ),
        Heading("4 Acidente com material biológico"),
        Paragraph(
            "Lavar com água e sabão, comunicar à chefia e procurar o ambulatório (ramal 2180) ou, à noite, o pronto-socorro, em até duas horas. A profilaxia contra o HIV começa de preferência nas primeiras duas horas e no máximo em 72 horas."
        ),
    ]


def _shifts() -> list[Block]:
    return [
        Heading("1 Swapping a shift"),
        Paragraph(
            "A swap is agreed between two people of the same category and unit and entered in the rota system at least 48 hours before the earlier shift. The coordinator approves or refuses within 24 hours; without an answer the swap does not count."
        ),
        Heading("2 Limits"),
        Bullets(
            (
                "At most four swaps a month for each person.",
                "At least 11 hours of rest between two shifts.",
                "No more than 36 hours in one week in intensive care.",
                "Residents and interns may not swap night shifts in their first three months.",
            )
        ),
        Heading("3 Overtime"),
        Paragraph(
            "Overtime needs the coordinator's approval before it begins. It is paid at 150%, on Sundays and public holidays at 200%. Hours in the time bank expire after six months."
        ),
        Heading("4 On-call allowance"),
        Table(
            ("Category", "Allowance per 12 h", "Call-out, first hour"),
            (
                ("Physician", "R$ 480", "R$ 320"),
                ("Pharmacist", "R$ 210", "R$ 140"),
                ("Radiology technician", "R$ 155", "R$ 105"),
            ),
        ),
        Heading("5 Absence"),
        Paragraph(
            "Who can't come tells the coordinator by phone at least four hours before the shift. A medical certificate is uploaded within 48 hours."
        ),
    ]


def _formulary() -> list[Sheet]:
    return [
        Sheet(
            "Formulary",
            ("Medicine", "Form", "Class", "Maximum daily dose", "Restricted", "Unit price (R$)"),
            (
                ("Amikacin", "ampoule 500 mg", "antibiotic", "1.5 g", "no", 4.85),
                ("Amoxicillin", "capsule 500 mg", "antibiotic", "3 g", "no", 0.42),
                ("Apixaban", "tablet 5 mg", "anticoagulant", "20 mg", "no", 3.15),
                ("Ceftriaxone", "vial 1 g", "antibiotic", "4 g", "no", 6.95),
                ("Dipyrone", "ampoule 1 g", "analgesic", "4 g", "no", 1.35),
                ("Enoxaparin", "syringe 40 mg", "anticoagulant", "2 mg/kg", "no", 21.75),
                ("Linezolid", "bag 600 mg", "antibiotic", "1.2 g", "yes", 118.45),
                ("Meropenem", "vial 1 g", "antibiotic", "6 g", "yes", 38.65),
                ("Metformin", "tablet 850 mg", "antidiabetic", "2,550 mg", "no", 0.18),
                ("Noradrenaline", "ampoule 8 mg", "vasopressor", "by weight", "no", 9.25),
                ("Omeprazole", "vial 40 mg", "acid suppressant", "80 mg", "no", 7.45),
                ("Ondansetron", "ampoule 8 mg", "antiemetic", "24 mg", "no", 2.95),
                ("Piperacillin-tazobactam", "vial 4.5 g", "antibiotic", "18 g", "yes", 27.35),
                ("Polymyxin B", "vial 500,000 U", "antibiotic", "25,000 U/kg", "yes", 64.15),
                ("Tenecteplase", "vial 50 mg", "thrombolytic", "25 mg (stroke)", "yes", 4912.35),
                ("Vancomycin", "vial 500 mg", "antibiotic", "60 mg/kg", "yes", 11.55),
            ),
        ),
        Sheet(
            "Substitutions",
            ("Prescribed", "Dispensed instead", "Condition"),
            (
                ("Pantoprazole 40 mg", "Omeprazole 40 mg", "automatic"),
                ("Ramosetron 0.3 mg", "Ondansetron 8 mg", "automatic"),
                ("Dalteparin 5,000 U", "Enoxaparin 40 mg", "physician informed"),
                ("Ertapenem 1 g", "Meropenem 1 g every 8 h", "stewardship team approves"),
            ),
        ),
        Sheet(
            "Shortages",
            ("Medicine", "Since", "Expected", "Alternative"),
            (
                ("Dopamine ampoule", "2025-06-02", "not resumed", "Noradrenaline"),
                ("Crystalline penicillin 5 MU", "2025-10-20", "2026-01-15", "Ampicillin 2 g"),
                ("Heparin 5,000 U/mL", "2025-11-03", "2025-12-10", "Enoxaparin"),
            ),
        ),
    ]
