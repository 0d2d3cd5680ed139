"""What is dropped, replaced and started, by name. The schedules decide when, and what goes wrong."""

from tests.models.parts import Scenario, Version

A, B = Version("a1", documents=2), Version("b1")

# What operators do: after a failure, a new execution over another set.
ANOTHER_SET = Scenario("another set", {"a": A, "b": B}, (("start", "E1", ("a",)), ("start", "E2", ("a", "b"))))
ONE_LESS = Scenario("one less", {"a": A, "b": B}, (("start", "E1", ("a", "b")), ("start", "E2", ("a",))))
THREE = Scenario(
    "three executions",
    {"a": A, "b": B},
    (("start", "E1", ("a", "b")), ("start", "E2", ("a",)), ("start", "E3", ("a", "b"))),
)
REPLACED = Scenario(
    "replaced without consent",
    {"a": A},
    (("start", "E1", ("a",)), ("upload", "a", Version("a2", consent=False)), ("start", "E2", ("a",))),
)
SILENT = Scenario(
    "replaced by silence without consent",
    {"a": A},
    (("start", "E1", ("a",)), ("upload", "a", Version("a2", consent=False, documents=0)), ("start", "E2", ("a",))),
)
# Deleting a newer version makes the older one current again.
RESTORED = Scenario(
    "restored",
    {"a": A},
    (
        ("start", "E1", ("a",)),
        ("upload", "a", Version("a2", meets=frozenset())),
        ("start", "E2", ("a",)),
        ("upload", "a", A),
        ("start", "E3", ("a",)),
    ),
)
REBUILT = Scenario(
    "rules changed",
    {"a": A, "b": Version("b1", meets=frozenset({"new"}))},
    (
        ("start", "E1", ("a", "b")),
        ("rebuild",),
        ("upload", "a", Version("a2", meets=frozenset({"old"}))),
        ("start", "E2", ("a",)),
    ),
)

SETTLE = ("settle",)
RESTORED_LATE = Scenario(
    "restored after all was still",
    {"a": A},
    (("start", "E1", ("a",)), SETTLE, ("drop", "E2", "a", Version("a2")), SETTLE, ("drop", "E3", "a", A)),
)
REBUILT_LATE = Scenario(
    "rules changed after all was still",
    {"a": A},
    (
        ("start", "E1", ("a",)),
        SETTLE,
        ("drop", "E2", "a", Version("a2", meets=frozenset())),
        ("rebuild",),
    ),
)
REBUILT_AT_THE_END = Scenario("rules changed at the end", {"a": A}, (("start", "E1", ("a",)), SETTLE, ("rebuild",)))

SCENARIOS = (
    *(ANOTHER_SET, ONE_LESS, THREE, REPLACED, SILENT, RESTORED, RESTORED_LATE),
    *(REBUILT, REBUILT_LATE, REBUILT_AT_THE_END),
)
