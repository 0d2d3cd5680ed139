"""The saved queries of the Athena workgroup: name -> description and statement."""

from typing import NamedTuple

FINDINGS, UTTERANCES = "findings", "utterances"


class Query(NamedTuple):
    description: str
    statement: str


# Queries read the columns that they need and, with `month`, the months that they need. That bounds what they cost.
QUERIES = {
    "medications": Query(
        "Medications by patient: the latest mention of each, with dose, route, form and frequency as spoken",
        f"""
WITH mentions AS (
  SELECT user_id, lower(text) AS medication, attributes, media_uri, start_seconds, score,
    row_number() OVER (PARTITION BY user_id, lower(text) ORDER BY uploaded_at DESC, start_seconds DESC) AS latest,
    min(uploaded_at) OVER (PARTITION BY user_id, lower(text)) AS first_uploaded_at,
    max(uploaded_at) OVER (PARTITION BY user_id, lower(text)) AS last_uploaded_at
  FROM {FINDINGS}
  WHERE category = 'MEDICATION' AND none_match(traits, trait -> trait.name IN ('NEGATION', 'HYPOTHETICAL'))
)
SELECT user_id, medication,
  array_join(transform(filter(attributes, a -> a.type = 'DOSAGE'), a -> a.text), ', ') AS dosage,
  array_join(transform(filter(attributes, a -> a.type = 'STRENGTH'), a -> a.text), ', ') AS strength,
  array_join(transform(filter(attributes, a -> a.type = 'ROUTE_OR_MODE'), a -> a.text), ', ') AS route,
  array_join(transform(filter(attributes, a -> a.type = 'FORM'), a -> a.text), ', ') AS form,
  array_join(transform(filter(attributes, a -> a.type = 'FREQUENCY'), a -> a.text), ', ') AS frequency,
  first_uploaded_at, last_uploaded_at, media_uri, start_seconds, score
FROM mentions
WHERE latest = 1
ORDER BY user_id, medication
""",
    ),
    "problems": Query(
        "Problem list by patient: conditions that are not negated, hypothetical or a relative's",
        f"""
SELECT user_id, lower(text) AS condition,
  count(DISTINCT media_id) AS recordings,
  min(from_iso8601_timestamp(uploaded_at)) AS first_uploaded_at,
  max(from_iso8601_timestamp(uploaded_at)) AS last_uploaded_at,
  max(score) AS highest_score,
  bool_or(any_match(traits, trait -> trait.name = 'DIAGNOSIS')) AS diagnosed
FROM {FINDINGS}
WHERE category = 'MEDICAL_CONDITION'
  AND none_match(traits, trait -> trait.name IN ('NEGATION', 'PERTAINS_TO_FAMILY', 'HYPOTHETICAL'))
GROUP BY user_id, lower(text)
ORDER BY user_id, recordings DESC, condition
""",
    ),
    "to-be-reviewed": Query(
        "For a clinician to check by ear: unsure findings, unclear words, doses without medication, since a month",
        f"""
SELECT user_id, media_uri, start_seconds, end_seconds, speaker, category, type, text, score, confidence,
  CASE
    WHEN category = 'UNMAPPED_ATTRIBUTE' THEN 'belongs to no entity'
    WHEN score < 0.6 THEN 'unsure finding'
    ELSE 'unclear words'
  END AS reason
FROM {FINDINGS}
WHERE month >= '2026-01'
  AND source = 'comprehend_medical'
  AND (category = 'UNMAPPED_ATTRIBUTE' OR score < 0.6 OR confidence < 0.5)
ORDER BY user_id, media_uri, start_seconds
""",
    ),
    "findings-by-month": Query(
        "Findings, recordings and patients per month and category",
        f"""
SELECT month, category,
  count(*) AS findings,
  count(DISTINCT media_id) AS recordings,
  count(DISTINCT user_id) AS patients
FROM {FINDINGS}
WHERE month >= '2026-01'
GROUP BY month, category
ORDER BY month, category
""",
    ),
    "said": Query(
        "Where a phrase was said since a month: put your own in place of blood pressure",
        f"""
SELECT user_id, media_uri, start_seconds, end_seconds, speaker, channel, text
FROM {UTTERANCES}
WHERE month >= '2026-01' AND strpos(lower(text), 'blood pressure') > 0
ORDER BY user_id, media_uri, start_seconds
""",
    ),
}
