"""What the sandbox's made-up team talks about: its people, models, metrics and words."""

from typing import Any, Final, NamedTuple

Document = dict[str, Any]  # a JSON object, its fields in the order in which they are sent


class Model(NamedTuple):
    """A language model that the team evaluates.

    Attributes:
        slug: The name runs carry.
        released: Days after the team's first day; negative for older ones.
        quality: Its usual score, 0 to 100.
        price: Millionths of a dollar per thousand tokens.
    """

    slug: str
    released: int
    quality: float
    price: int


class Metric(NamedTuple):
    """One measure of an answer.

    Attributes:
        id: What evaluations and ``selected_metrics`` call it.
        shortname: What ``aggregate_results`` calls it.
        offset: How much easier (or harder) it is than a model's usual score.
        monthly: How its scores drift in thirty days.
        spread: How far single answers stray from a run's mean.
    """

    id: int
    shortname: str
    offset: float
    monthly: float
    spread: float


MODELS: Final = (  # in the order of their release
    Model("gpt-4o", -500, 82.0, 6_250),
    Model("gemini-1.5-pro", -495, 78.0, 3_100),
    Model("claude-3-5-sonnet", -460, 84.0, 9_000),
    Model("llama-3.1-70b-instruct", -435, 72.0, 720),
    Model("mistral-large-2407", -434, 73.0, 4_000),
    Model("gpt-4o-mini", -430, 74.0, 375),
    Model("qwen2.5-72b-instruct", -375, 75.0, 400),
    Model("deepseek-v3", -280, 79.0, 690),
    Model("gpt-4.1", -170, 85.0, 5_000),
    Model("claude-sonnet-4", -132, 87.0, 9_000),
    Model("gemini-2.5-pro", -106, 86.0, 5_600),
    Model("gpt-5", -55, 88.0, 5_600),
    Model("claude-sonnet-4.5", -2, 89.0, 9_000),
    Model("acme/support-ft-v1", 20, 80.0, 900),
    Model("gpt-5.1", 43, 90.0, 5_600),
    Model("gemini-3-pro", 48, 91.0, 7_000),
    Model("acme/support-ft-v2", 95, 86.0, 900),
    Model("acme/support-ft-v3", 210, 89.0, 900),
)

METRICS: Final = (
    Metric(1, "ans_rel", 3.0, 0.5, 9.0),
    Metric(2, "faith", -1.5, 0.4, 12.0),
    Metric(3, "ans_corr", 0.0, 0.7, 14.0),
    Metric(4, "ctx_prec", -6.0, -0.4, 16.0),
    Metric(5, "ctx_rec", -4.0, 0.2, 15.0),
    Metric(6, "halluc", 2.0, 0.3, 10.0),
    Metric(7, "tone", 5.0, 0.0, 6.0),
    Metric(8, "complete", -3.0, 0.6, 13.0),
)

OWNER: Final = {"id": 7, "email": "analyst@acme.com"}
COLLEAGUES: Final = (
    {"id": 8, "email": "m.keller@acme.com"},
    {"id": 9, "email": "qa-lead@acme.com"},
    {"id": 15, "email": "zoe+evals@acme.com"},
)
ORGANIZATION: Final = 3
ORGANIZATION_EMAIL: Final = "evals@acme.com"

RUN_TYPES: Final = (
    {"id": 1, "name": "custom", "label": "Custom", "description": "Run from single records"},
    {"id": 2, "name": "dataset", "label": "Dataset", "description": "Run from dataset"},
)
RUN_SOURCES: Final = (
    {"id": 1, "name": "api", "label": "API", "description": "Created via API"},
    {"id": 2, "name": "ui", "label": "Web", "description": "Created in the web application"},
    {"id": 3, "name": "schedule", "label": "Schedule", "description": "Created by a schedule"},
)

SUBJECTS: Final = (
    "Support QA",
    "Refund policy",
    "Onboarding chat",
    "Kundenservice Süd",
    "Résumé screening",
    "カスタマーサポート",
    "Docs search",
    "Billing e-mails",
    "Product FAQ",
    "Voice transcripts",
    "Контракты",
    "Safety red team 🛡",
)
PURPOSES: Final = (
    "nightly",
    "regression",
    "release gate",
    "model comparison",
    "prompt tuning",
    "weekly review",
)
MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
STRUCTURES: Final = (
    ("prompt", "output", "golden_answer"),
    ("prompt", "output"),
    ("prompt", "output", "context"),
    ("prompt", "output", "context", "golden_answer"),
    ("conversation", "output", "rubric"),
)
COLUMN_MAPPINGS: Final[tuple[Document | None, ...]] = (
    None,
    None,
    {"prompt": "question", "output": "answer"},
    {"prompt": "Frage", "output": "Antwort", "golden_answer": "Musterlösung"},
    {"prompt": "input.text", "output": "response.choices[0]", "context": "retrieved"},
)

PRAISE: Final = (
    "The answer matches the reference in every point that matters.",
    "All claims are supported by the context.",
    "Correct, complete and in the customer's language.",
    "Die Antwort deckt alle Schritte der Musterlösung ab.",
    "The tone is right and the refund period is stated exactly (≤ 30 days).",
)
BLAME: Final = (
    "The answer omits the second step of the procedure.",
    "One claim (“free for life”) is not supported by the context.",
    "The customer asked about an invoice; the answer speaks of a quote.",
    "回答は質問の後半に触れていません。",
    "The reference names two exceptions, the answer none.",
)
BREAKDOWNS: Final = (
    "The judge did not answer within 60 s.",
    "The judge's answer was no valid JSON.",
    "The record has no output.",
)
LABELS: Final = ("baseline", "candidate", "rerun", "prompt-v2", "low-temp", "über-kurz")
