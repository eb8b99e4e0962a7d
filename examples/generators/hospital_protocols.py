"""Hospital Santa Clara's clinical protocols as PDF: sepsis 2025 and 2022, stroke, transfusion."""

from __future__ import annotations

from pathlib import Path

from examples.generators.paper import (
    Block,
    Bullets,
    Drawing,
    Heading,
    Label,
    Line,
    PageBreak,
    Paragraph,
    Rect,
    Table,
    pdf,
)

COMPANY = "Hospital Santa Clara"


def write(folder: Path) -> None:
    """Write the four protocols below `folder`."""
    protocols = folder / "protocols"
    pdf(
        protocols / "sepsis-protocol-2025.pdf",
        "Sepsis and Septic Shock in Adults",
        _sepsis_2025(),
        company=COMPANY,
        subtitle="Clinical protocol PC-004, version 3.0\nIn force since 1 March 2025. Replaces version 2.1 of 2022\nAuthors: Dr. Renato Queiroz, Nurse Patrícia Leme",
    )
    pdf(
        protocols / "sepsis-protocol-2022.pdf",
        "Sepsis and Septic Shock in Adults",
        _sepsis_2022(),
        company=COMPANY,
        subtitle="Clinical protocol PC-004, version 2.1\nIn force since 15 August 2022",
    )
    pdf(
        protocols / "protocolo-avc-2025.pdf",
        "Acidente Vascular Cerebral Isquêmico Agudo",
        _stroke(),
        company=COMPANY,
        subtitle="Protocolo clínico PC-011, versão 2.2\nEm vigor desde 2 de junho de 2025\nAutora: Dra. Helena Matsuda, neurologia",
        lang="pt",
    )
    pdf(
        protocols / "protocolo-transfusao-2025.pdf",
        "Transfusão de Hemocomponentes",
        _transfusion(),
        company=COMPANY,
        subtitle="Protocolo clínico PC-019, versão 4.0, em vigor desde 10 de fevereiro de 2025. Autor: Dr. Ivan Prado, agência transfusional",
        cover=False,
        lang="pt",
    )


def _sepsis_2025() -> list[Block]:
    return [
        Heading("1 When to suspect sepsis"),
        Paragraph(
            "Suspect sepsis in every adult with a known or likely infection and at least two of: respiratory rate of 22/min or more, systolic pressure of 100 mmHg or less, altered mental state, temperature above 38.3 °C or below 36 °C, heart rate above 100/min. The triage nurse opens the sepsis bundle in the electronic record and calls the doctor of the emergency room, extension 2211."
        ),
        Paragraph(
            "The clock starts when the bundle is opened. The door-to-antibiotic time is reviewed for every patient and discussed on the first Wednesday of the month."
        ),
        Heading("2 First-hour bundle"),
        Bullets(
            (
                "Measure lactate; repeat within two hours if it is 2 mmol/L or more.",
                "Take two pairs of blood cultures from different sites before the antibiotic, unless this delays it by more than 45 minutes.",
                "Give the first antibiotic within 60 minutes of the opening of the bundle.",
                "Begin crystalloids if systolic pressure is below 90 mmHg or lactate is 4 mmol/L or more.",
                "Begin noradrenaline if mean arterial pressure stays below 65 mmHg during or after fluids.",
            ),
            numbered=True,
        ),
        Drawing(
            460,
            150,
            (
                Rect(0, 90, 95, 40, "Triage: suspicion"),
                Rect(120, 90, 95, 40, "Lactate + cultures"),
                Rect(240, 90, 95, 40, "Antibiotic < 60 min"),
                Rect(360, 90, 95, 40, "Fluids 30 mL/kg"),
                Rect(360, 15, 95, 40, "Noradrenaline"),
                Rect(240, 15, 95, 40, "ICU within 6 h"),
                Line(95, 110, 120, 110, arrow=True),
                Line(215, 110, 240, 110, arrow=True),
                Line(335, 110, 360, 110, arrow=True),
                Line(407, 90, 407, 55, arrow=True),
                Line(360, 35, 335, 35, arrow=True),
                Label(412, 68, "MAP < 65"),
            ),
            "Figure 1. The sepsis pathway",
        ),
        PageBreak(),
        Heading("3 Fluids and vasopressors"),
        Paragraph(
            "Give 30 mL/kg of balanced crystalloid (Ringer lactate) within the first three hours. Reassess after every 500 mL. In patients with heart failure or on dialysis give 10 mL/kg and reassess with ultrasound before more."
        ),
        Table(
            ("Drug", "Start", "Maximum", "Remarks"),
            (
                (
                    "Noradrenaline",
                    "0.05 µg/kg/min",
                    "1.0 µg/kg/min",
                    "May begin in a peripheral vein",
                ),
                (
                    "Vasopressin",
                    "0.03 U/min",
                    "0.03 U/min",
                    "Add when noradrenaline exceeds 0.25 µg/kg/min",
                ),
                (
                    "Adrenaline",
                    "0.05 µg/kg/min",
                    "0.5 µg/kg/min",
                    "Third drug, cardiac dysfunction",
                ),
                ("Hydrocortisone", "50 mg every 6 h", "200 mg/day", "Shock for more than 4 hours"),
            ),
            "Table 1. Vasopressors and steroid",
        ),
        Heading("4 Empirical antibiotics"),
        Table(
            ("Focus", "First choice", "Dose", "Penicillin allergy"),
            (
                (
                    "Community pneumonia",
                    "Ceftriaxone + azithromycin",
                    "2 g/day + 500 mg/day",
                    "Levofloxacin 750 mg/day",
                ),
                (
                    "Urinary",
                    "Ceftriaxone",
                    "2 g/day",
                    "Amikacin 15 mg/kg/day",
                ),
                (
                    "Abdominal",
                    "Piperacillin-tazobactam",
                    "4.5 g every 6 h",
                    "Ciprofloxacin + metronidazole",
                ),
                (
                    "Hospital-acquired",
                    "Meropenem + vancomycin",
                    "1 g every 8 h + 25 mg/kg load",
                    "Same",
                ),
                (
                    "Skin",
                    "Oxacillin + clindamycin",
                    "2 g every 4 h + 600 mg every 6 h",
                    "Vancomycin",
                ),
            ),
            "Table 2. First antibiotic by focus (normal kidney function)",
        ),
        Paragraph(
            "The first dose is always the full dose, whatever the kidney function. Review the choice after 48 hours with the culture results; stop if infection is excluded. Procalcitonin below 0.5 ng/mL supports stopping."
        ),
        PageBreak(),
        Heading("5 Intensive care and follow-up"),
        Paragraph(
            "Patients with shock or lactate of 4 mmol/L or more are transferred to intensive care within six hours. While no bed is free the emergency doctor stays responsible and the intensivist visits every two hours."
        ),
        Heading("5.1 Targets", 2),
        Bullets(
            (
                "Mean arterial pressure of 65 to 70 mmHg.",
                "Lactate falling by 20% every two hours.",
                "Urine output of 0.5 mL/kg/h or more.",
                "Blood glucose between 140 and 180 mg/dL.",
            )
        ),
        Heading("5.2 Indicators", 2),
        Table(
            ("Indicator", "Goal 2025", "Result 2024"),
            (
                ("Antibiotic within 60 minutes", "90%", "83%"),
                ("Lactate measured within 60 minutes", "95%", "92%"),
                ("In-hospital mortality, septic shock", "32%", "36%"),
            ),
        ),
    ]


def _sepsis_2022() -> list[Block]:
    return [
        Heading("1 When to suspect sepsis"),
        Paragraph(
            "Suspect sepsis in every adult with infection and two or more signs of systemic inflammation: temperature above 38 °C or below 36 °C, heart rate above 90/min, respiratory rate above 20/min, white cells above 12,000 or below 4,000."
        ),
        Heading("2 First three hours"),
        Bullets(
            (
                "Measure lactate.",
                "Take blood cultures.",
                "Give the first antibiotic within 180 minutes of triage.",
                "Begin crystalloids if the systolic pressure is below 90 mmHg.",
            ),
            numbered=True,
        ),
        Heading("3 Fluids and vasopressors"),
        Paragraph(
            "Give 20 mL/kg of saline (sodium chloride 0.9%) within the first six hours. Dopamine or noradrenaline may be used if hypotension persists; both need a central line."
        ),
        Table(
            ("Drug", "Start", "Maximum", "Remarks"),
            (
                ("Noradrenaline", "0.1 µg/kg/min", "0.5 µg/kg/min", "Central line only"),
                ("Dopamine", "5 µg/kg/min", "20 µg/kg/min", "Central line only"),
                ("Hydrocortisone", "100 mg every 8 h", "300 mg/day", "Shock for more than 1 hour"),
            ),
            "Table 1. Vasopressors and steroid",
        ),
        PageBreak(),
        Heading("4 Empirical antibiotics"),
        Table(
            ("Focus", "First choice", "Dose"),
            (
                ("Community pneumonia", "Ceftriaxone + azithromycin", "1 g/day + 500 mg/day"),
                ("Urinary", "Ciprofloxacin", "400 mg every 12 h"),
                ("Abdominal", "Ampicillin-sulbactam", "3 g every 6 h"),
                ("Hospital-acquired", "Cefepime + vancomycin", "2 g every 12 h + 15 mg/kg"),
            ),
            "Table 2. First antibiotic by focus",
        ),
        Heading("5 Targets"),
        Paragraph(
            "Central venous pressure of 8 to 12 mmHg, mean arterial pressure of 65 mmHg or more, central venous saturation of 70% or more within six hours."
        ),
    ]


def _stroke() -> list[Block]:
    return [
        Heading("1 Reconhecimento e acionamento"),
        Paragraph(
            "Diante de perda súbita de força, fala ou visão, assimetria facial ou desequilíbrio de início recente, a enfermagem da triagem aciona o código AVC pelo ramal 2244. O neurologista de sobreaviso responde em até dez minutos e chega, ou conecta-se por vídeo, em até 30 minutos."
        ),
        Heading("2 Metas de tempo"),
        Table(
            ("Etapa", "Meta", "Mediana em 2024"),
            (
                ("Porta–avaliação médica", "10 min", "8 min"),
                ("Porta–tomografia", "25 min", "27 min"),
                ("Porta–agulha (trombólise)", "45 min", "52 min"),
                ("Porta–punção (trombectomia)", "90 min", "104 min"),
            ),
            "Tabela 1. Metas a partir da chegada",
        ),
        Paragraph(
            "A tomografia de crânio sem contraste é feita antes de qualquer exame de laboratório, exceto a glicemia capilar. O resultado do coagulograma só é aguardado em pacientes que usam anticoagulante."
        ),
        PageBreak(),
        Heading("3 Trombólise intravenosa"),
        Paragraph(
            "Indicada até 4,5 horas do início dos sintomas, com déficit incapacitante e sem hemorragia na tomografia. A idade avançada, por si só, não contraindica o tratamento."
        ),
        Table(
            ("Medicamento", "Dose", "Dose máxima", "Administração"),
            (
                ("Tenecteplase", "0,25 mg/kg", "25 mg", "Bolus único em 5 segundos"),
                ("Alteplase", "0,9 mg/kg", "90 mg", "10% em bolus, resto em 60 min"),
            ),
            "Tabela 2. Trombolíticos; tenecteplase é a primeira escolha",
        ),
        Heading("3.1 Contraindicações principais", 2),
        Bullets(
            (
                "Hemorragia intracraniana atual ou anterior.",
                "Pressão arterial acima de 185/110 mmHg que não responde ao tratamento.",
                "Plaquetas abaixo de 100.000/mm³ ou RNI acima de 1,7.",
                "Anticoagulante oral direto tomado nas últimas 48 horas.",
                "Cirurgia intracraniana ou trauma grave nos últimos três meses.",
            )
        ),
        Heading("3.2 Depois da trombólise", 2),
        Paragraph(
            "Manter a pressão abaixo de 180/105 mmHg por 24 horas. Aferir a cada 15 minutos nas primeiras duas horas. Antiagregantes e anticoagulantes só começam após a tomografia de controle de 24 horas. Se houver cefaleia intensa ou piora, interromper a infusão e repetir a tomografia."
        ),
        PageBreak(),
        Heading("4 Trombectomia mecânica"),
        Paragraph(
            "Oferecida até 6 horas do início para oclusão de carótida interna ou de artéria cerebral média proximal com NIHSS de 6 ou mais; entre 6 e 24 horas, apenas com seleção por perfusão. A sala de hemodinâmica é reservada pelo ramal 2290."
        ),
        Heading("5 Cuidados na unidade de AVC"),
        Paragraph(
            "Teste de deglutição antes de qualquer dieta ou medicamento por via oral. Cabeceira a 30 graus. Glicemia entre 140 e 180 mg/dL. Febre acima de 37,5 °C é tratada. A fisioterapia começa em até 24 horas se o paciente estiver estável."
        ),
        Bullets(
            (
                "AAS 300 mg no primeiro dia e 100 mg por dia depois, se não houve trombólise.",
                "Atorvastatina 80 mg por dia.",
                "Clopidogrel 75 mg por dia por 21 dias, junto com AAS, em AVC leve (NIHSS até 3).",
            )
        ),
    ]


def _transfusion() -> list[Block]:
    return [
        Heading("1 Indicações"),
        Table(
            ("Hemocomponente", "Gatilho", "Dose no adulto", "Tempo de infusão"),
            (
                ("Concentrado de hemácias", "Hb < 7 g/dL", "1 unidade", "até 4 h"),
                ("Concentrado de hemácias (cardiopatia)", "Hb < 8 g/dL", "1 unidade", "até 4 h"),
                ("Plaquetas (profilaxia)", "< 10.000/mm³", "1 unidade por 10 kg", "30 min"),
                (
                    "Plaquetas (antes de punção lombar)",
                    "< 40.000/mm³",
                    "1 unidade por 10 kg",
                    "30 min",
                ),
                ("Plasma fresco", "RNI > 1,8 e sangramento", "10 a 15 mL/kg", "até 1 h"),
                ("Crioprecipitado", "Fibrinogênio < 150 mg/dL", "1 unidade por 10 kg", "20 min"),
            ),
            "Tabela 1. Gatilhos e doses",
        ),
        Paragraph(
            "Transfundir uma unidade de hemácias por vez e reavaliar clínica e hemoglobina antes da segunda, exceto em hemorragia ativa."
        ),
        Heading("2 Pedido e amostra"),
        Paragraph(
            "A amostra para prova cruzada vale 72 horas. O tubo é rotulado à beira do leito com nome completo, registro, data, hora e iniciais de quem colheu. Amostras com rasura são descartadas. Pedidos de extrema urgência são atendidos em 15 minutos, com termo assinado pelo médico."
        ),
        Heading("3 À beira do leito"),
        Bullets(
            (
                "Dois profissionais conferem paciente, bolsa e prescrição em voz alta.",
                "Sinais vitais antes, aos 10 minutos e ao fim.",
                "Os primeiros 10 minutos correm lentamente, com a enfermagem presente.",
                "A bolsa começa a ser infundida em até 30 minutos depois de sair da agência transfusional.",
                "Nenhum medicamento é infundido na mesma via.",
            ),
            numbered=True,
        ),
        PageBreak(),
        Heading("4 Reações"),
        Table(
            ("Sinal", "Suspeita", "Conduta imediata"),
            (
                ("Febre acima de 38 °C", "Reação febril", "Parar, colher hemocultura"),
                ("Urticária isolada", "Reação alérgica leve", "Pausar, anti-histamínico"),
                ("Dor lombar, hipotensão", "Hemólise aguda", "Parar, manter acesso, chamar médico"),
                ("Dispneia até 6 horas", "TRALI ou sobrecarga", "Parar, oxigênio, radiografia"),
            ),
            "Tabela 2. Reações e condutas",
        ),
        Paragraph(
            "Toda reação é notificada no sistema em até 24 horas; as graves também por telefone à agência transfusional, ramal 2260. A bolsa e o equipo são devolvidos lacrados."
        ),
        Heading("5 Transfusão maciça"),
        Paragraph(
            "O pacote de transfusão maciça contém seis concentrados de hemácias, seis plasmas e um pool de plaquetas. Ácido tranexâmico, 1 g em 10 minutos, é dado nas primeiras três horas do trauma, seguido de 1 g em oito horas. O cálcio iônico é medido a cada pacote."
        ),
        Heading("6 Recusa"),
        Paragraph(
            "A recusa de transfusão por paciente adulto e capaz é respeitada, registrada em termo próprio e comunicada ao comitê de bioética, que tem plantonista no ramal 2277. Em menores, o médico decide conforme o risco e comunica a direção."
        ),
    ]
