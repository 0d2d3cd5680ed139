"""The texts of the sample recordings: invented patients and findings.

The cohorts of the local demonstration depend on these groups, see ``recordings.json``:
p-001..p-032 have hypertension, p-033..p-042 type 2 diabetes, p-043..p-046 hypertension that is denied or a relative's,
p-047..p-049 asthma.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Dictation:
    """One recording to make: user id, file name (its suffix is the format), text, and flite voice.

    ``consent`` None: the upload has no metadata about audience consent, which counts as no.
    """

    user_id: str
    file: str
    voice: str
    text: str
    consent: bool | None = True


DICTATIONS = [
    Dictation(
        "p-001",
        "visit-0001.wav",
        "slt",
        "The patient is a fifty four year old woman with hypertension. "
        "She takes ten milligrams of lisinopril by mouth daily.",
    ),
    Dictation(
        "p-001",
        "follow up 2.mp3",
        "slt",
        "She returns for her hypertension. Blood pressure today is one hundred thirty over eighty. "
        "She denies chest pain.",
    ),
    Dictation(
        "p-002",
        "dictation+1.m4a",
        "rms",
        "This gentleman has a long history of hypertension and high cholesterol. He denies shortness of breath.",
    ),
    Dictation(
        "p-003",
        "note.mp4",
        "awb",
        "Three years ago he was diagnosed with hypertension. He stopped smoking and walks two miles every day.",
        consent=False,
    ),
    Dictation(
        "p-004",
        "visit.flac",
        "slt",
        "Assessment. Hypertension, well controlled. "
        "Continue the water pill once daily and repeat the blood test in six months.",
    ),
    Dictation(
        "p-005",
        "100% normal ECG.ogg",
        "rms",
        "The patient has hypertension. The electrocardiogram is normal. No chest pain and no swelling of the legs.",
    ),
    Dictation(
        "p-005",
        "visit-0005b.amr",
        "rms",
        "Second visit for hypertension. He takes aspirin eighty one milligrams by mouth every morning.",
    ),
    Dictation(
        "p-006",
        "été-contrôle.webm",
        "slt",
        "She has hypertension and migraine headaches. Her mother had a stroke at the age of seventy.",
    ),
    Dictation(
        "p-007",
        "visit.mp3",
        "awb",
        "The patient has hypertension. He also has gout and chronic kidney disease. He reports no fever.",
    ),
    Dictation(
        "p-008",
        "visit.m4a",
        "slt",
        "A sixty year old woman with hypertension comes in for a refill. She reports dizziness in the morning.",
    ),
    Dictation(
        "p-009",
        "visit.mp4",
        "rms",
        "He has a history of hypertension and a heart attack in twenty nineteen. He takes aspirin every day.",
    ),
    Dictation(
        "p-010",
        "visit.ogg",
        "kal16",
        "The patient has hypertension. The blood pressure is one hundred fifty over ninety. We will increase the dose.",
    ),
    Dictation(
        "p-011",
        "visit.amr",
        "slt",
        "She was seen for hypertension and lower back pain. "
        "She takes ibuprofen four hundred milligrams as needed for pain.",
    ),
    Dictation(
        "p-012",
        "visit.webm",
        "rms",
        "Known hypertension for ten years. Kidney function is normal. He denies headaches and dizziness.",
    ),
    Dictation(
        "p-013",
        "visit.mp3",
        "slt",
        "Past medical history includes hypertension and osteoarthritis of both knees. No known drug allergies.",
    ),
    Dictation(
        "p-014",
        "visit.m4a",
        "awb",
        "The patient has hypertension. He is allergic to penicillin. He will start a low salt diet this week.",
    ),
    Dictation(
        "p-015",
        "visit.mp4",
        "slt",
        "She has hypertension and obesity. She has lost twelve pounds since January. She denies palpitations.",
    ),
    Dictation(
        "p-016",
        "visit.ogg",
        "rms",
        "The patient is being treated for hypertension with two medicines. His cough has resolved.",
    ),
    Dictation(
        "p-017",
        "visit.amr",
        "slt",
        "She has hypertension and depression. Her sleep has improved. She denies any thoughts of self harm.",
        consent=None,
    ),
    Dictation(
        "p-018",
        "visit.webm",
        "awb",
        "The patient has hypertension and atrial fibrillation. He takes warfarin five milligrams in the evening.",
    ),
    Dictation(
        "p-019",
        "visit.flac",
        "rms",
        "He has hypertension. He complains of chest pain when climbing stairs. "
        "We ordered a stress test and a chest X ray.",
    ),
    Dictation(
        "p-020",
        "visit.mp3",
        "kal16",
        "The patient has hypertension and arthritis. She has no fever and no cough. Return in three months.",
    ),
    Dictation(
        "p-021",
        "visit.m4a",
        "slt",
        "This is a follow up visit for hypertension. Her headaches are better. The urine test was normal.",
    ),
    Dictation(
        "p-022",
        "visit.mp4",
        "rms",
        "He has hypertension and sleep apnea. He uses his breathing machine every night and feels rested.",
    ),
    Dictation(
        "p-023",
        "visit.ogg",
        "slt",
        "She has hypertension and low thyroid function. She reports fatigue and weight gain. No constipation.",
    ),
    Dictation(
        "p-024",
        "visit.amr",
        "rms",
        "The patient has hypertension. His brother has diabetes. He drinks two beers a week and does not smoke.",
    ),
    Dictation(
        "p-025",
        "visit.webm",
        "slt",
        "Her hypertension is not controlled. She forgot her tablets for two weeks. We discussed the risk of stroke.",
    ),
    Dictation(
        "p-026",
        "visit.mp3",
        "awb",
        "The patient has hypertension and heart failure. His ankles are swollen. He denies chest pain at rest.",
    ),
    Dictation(
        "p-027",
        "visit.m4a",
        "rms",
        "He has hypertension. The cholesterol is two hundred and forty. We will start a statin at bedtime.",
    ),
    Dictation(
        "p-028",
        "visit.mp4",
        "slt",
        "She has hypertension in addition to anxiety. She takes her tablet twice daily with food.",
    ),
    Dictation(
        "p-029",
        "visit.ogg",
        "awb",
        "The patient has hypertension and kidney stones. He had surgery in March. He has no blood in the urine.",
    ),
    Dictation(
        "p-030",
        "visit.amr",
        "slt",
        "She developed hypertension during her second pregnancy. The echocardiogram showed a normal heart.",
    ),
    Dictation(
        "p-031",
        "a-very-long-file-name-" + "that-someone-kept-on-typing-" * 7 + "visit.webm",
        "rms",
        "The patient has hypertension and anemia. His hemoglobin is eleven. We will give iron tablets once daily.",
    ),
    Dictation(
        "p-032",
        "visit.flac",
        "slt",
        "Hypertension and glaucoma. She uses eye drops in both eyes at night. Her vision is stable.",
    ),
    Dictation(
        "p-033",
        "visit.mp3",
        "rms",
        "The patient has type two diabetes. He takes metformin five hundred milligrams by mouth twice daily.",
    ),
    Dictation(
        "p-034",
        "visit.m4a",
        "slt",
        "She has type two diabetes and takes insulin ten units at bedtime. She denies low blood sugar.",
    ),
    Dictation(
        "p-035",
        "visit.mp4",
        "awb",
        "The patient has type two diabetes. His blood sugar this morning was one hundred and sixty.",
    ),
    Dictation(
        "p-036",
        "visit.ogg",
        "rms",
        "Follow up for type two diabetes. The eye examination was normal. She reports tingling in both feet.",
    ),
    Dictation(
        "p-037",
        "visit.amr",
        "rms",
        "He was found to have type two diabetes last year. He has lost weight and exercises every day.",
    ),
    Dictation(
        "p-038",
        "visit.webm",
        "slt",
        "She has type two diabetes. Her mother also has diabetes. She denies thirst and frequent urination.",
    ),
    Dictation(
        "p-039",
        "visit.flac",
        "awb",
        "The patient has type two diabetes and a foot ulcer. We will take an X ray and start antibiotics.",
    ),
    Dictation(
        "p-040",
        "visit.mp3",
        "slt",
        "Her type two diabetes is controlled by a healthy diet. The kidney test was normal.",
    ),
    Dictation(
        "p-041",
        "visit.m4a",
        "rms",
        "He has type two diabetes. He injects insulin before every meal. He has no chest pain.",
    ),
    Dictation(
        "p-042",
        "visit.wav",
        "slt",
        "She has type two diabetes and high cholesterol. She was given a new glucose meter today.",
    ),
    Dictation(
        "p-043",
        "visit.ogg",
        "slt",
        "She denies hypertension. She comes in with a sore throat and a cough. She has no fever.",
    ),
    Dictation(
        "p-044",
        "visit.amr",
        "rms",
        "The patient has no history of hypertension. He hurt his right knee while playing football.",
    ),
    Dictation(
        "p-045",
        "visit.webm",
        "slt",
        "Her father has hypertension. She is healthy and takes no medication. She came for a flu vaccine.",
    ),
    Dictation(
        "p-046",
        "visit.mp3",
        "awb",
        "His mother had hypertension and a stroke. The patient is well and denies chest pain.",
    ),
    Dictation(
        "p-047",
        "visit.m4a",
        "slt",
        "She has asthma and uses her inhaler two puffs every four hours as needed for wheezing.",
    ),
    Dictation(
        "p-048",
        "visit.mp4",
        "rms",
        "The patient has asthma. He was given prednisone forty milligrams by mouth daily for five days.",
    ),
    Dictation(
        "p-049",
        "visit.ogg",
        "slt",
        "Her asthma is worse at night. She has a dry cough and a seasonal allergy. The chest X ray is normal.",
    ),
]
