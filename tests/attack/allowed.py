"""What each role of the stack may do, written by hand for a reader; everything else must be refused.

Not derived from the policies: this is what they are measured by. A role that is not here may do nothing. Targets are
spelled as in `tests.attack.targets`: `clinical/records` is an object below records/ in the clinical bucket.
"""

from collections.abc import Callable, Mapping

Rights = frozenset[str]


def rights(**verbs: str) -> Rights:
    """`read="clinical/batches clinical/records"` and so on. A right to read or to list includes a lesser one."""
    found = {f"{verb} {target}" for verb, targets in verbs.items() for target in targets.split()}
    lesser = {"read": "head", "read_version": "head_version", "list": "list_recordings"}
    parts = [right.split(" ", 1) for right in found]
    return frozenset(found | {f"{lesser[verb]} {target}" for verb, target in parts if verb in lesser})


def items(read: str, update: str = "", check: str = "") -> Rights:
    """Items of the ledger, by their kinds: one by one, several at once, and in transactions."""
    verbs = {"batch_get_item": read, "update_item": update, "check_item": check}
    return frozenset(f"{verb} ledger/{kind}" for verb, kinds in verbs.items() for kind in kinds.split())


# The job's description and rejections, of every function that polls.
JOB_RECORDS = rights(write="clinical/batches")


def members(read: str = "", write: str = "", delete: str = "") -> Rights:
    """Items of the members table, by their kinds."""
    verbs = {"query": read, "update_item": write, "delete_item": delete}
    return frozenset(f"{verb} members/{kind}" for verb, kinds in verbs.items() for kind in kinds.split())


# An object's records are committed with its membership in cohorts. A transaction's parts may have to be allowed by the
# kinds of all of them.
COMMITTED = items("object indexes", update="object index outline changed") | members(
    write="object index outline changed", delete="object index outline changed"
)
# The token, which only the ledger has, is the proof; the action takes no resource.
TURNS = rights(answer_token="account") | items("turn turns", update="turn turns")

FUNCTIONS: Mapping[str, Rights] = {
    # The key is that of the queue.
    "ingest": rights(
        receive="ingest",
        delete_message="ingest",
        change_visibility="ingest",
        queue_attributes="ingest",
        decrypt="operations-key",
        start_execution="pipeline",
    ),
    # Recordings: their heads only, it has no key to them. Who reads or writes below a key can also decrypt below it, so
    # that the heads of records are their content too.
    "plan_batch": rights(
        head="media/media",
        read="clinical/records clinical/entity-jobs",
        list="media clinical",
        write="clinical/batches",
        describe_execution="pipeline",
        # A claim is changed while its execution is where it was: a transaction.
        take="ledger/claim",
    )
    | items("object claim execution spending", update="object claim execution spending index", check="execution claim")
    | members(write="patient", delete="object index"),
    "share_jobs": rights(
        list_executions="pipeline", list_map_runs="pipeline", describe_map_run="pipeline", resize_map_run="pipeline"
    )
    | TURNS,
    "wait_for_turn": TURNS,
    # Transcribe Medical works with this role's rights, and with the keys in ways that aren't documented. On the key of
    # its output it may do what AWS's example lists, ReEncrypt and data keys without their plaintext included.
    "start_transcription": rights(
        read="media/media clinical/transcripts",
        list="media clinical",
        write="clinical/transcripts clinical/batches",
        decrypt="media-key clinical-key",
        data_key="clinical-key",
        data_key_without_plaintext="clinical-key",
        encrypt="clinical-key",
        re_encrypt="clinical-key",
        describe_key="clinical-key",
        start_transcription="into-clinical",
        get_transcription="job",
        tag_transcription="job",
    ),
    "poll_transcription": rights(get_transcription="job", list="clinical") | JOB_RECORDS,
    # Of recordings the heads only, as plan_batch.
    "prepare_documents": rights(
        head="media/media",
        read="clinical/batches clinical/transcripts clinical/entity-jobs clinical/entities",
        list="clinical",
        write="clinical/documents clinical/batches clinical/entity-jobs",
    )
    | items("object claim job", update="execution spending"),
    "start_entity_detection": rights(
        read="clinical/batches",
        list_entity_detections="jobs",
        describe_entity_detection="job",
        pass_to_comprehendmedical="EntityDetection",
    )
    | items("job", update="execution job"),
    "poll_entity_detection": rights(describe_entity_detection="job", read="clinical/batches")
    | JOB_RECORDS
    | items("job", update="job"),
    "collect_entities": rights(
        read="clinical/batches clinical/entities clinical/transcripts clinical/records",
        list="clinical",
        write="clinical/records clinical/deidentified clinical/reports clinical/batches",
    )
    | COMMITTED
    | items("job"),
    "prepare_cohorts": rights(describe_execution="pipeline") | items("indexes", update="indexes"),
    "index_records": rights(read="clinical/records", list="clinical", write="clinical/batches") | COMMITTED,
    "finish_rebuild": rights(read="clinical/batches", list="clinical") | items("indexes", update="indexes"),
    "select_seeds": rights(
        read="audience/seeds audience/suppression",
        list="audience",
        write="audience/seeds",
    )
    | items("indexes")
    | members(read="index outline"),
    "start_audience_generation": rights(
        list_audience_generations="jobs",
        start_audience_generation="our-model",
        tag_audience_generation="job",
        pass_to_cleanrooms_ml="SeedReader",
        list="audience",
    ),
    "poll_audience_generation": rights(get_audience_generation="job") | JOB_RECORDS,
    "start_audience_export": rights(start_audience_export="job", list_audience_exports="jobs"),
    "poll_audience_export": rights(list_audience_exports="jobs") | JOB_RECORDS,
    "summarize_batch": rights(read="clinical/batches", list="clinical", write="clinical/batches"),
    "divide_search": rights(
        list_versions="media clinical audience operations accesslogs",
        read="clinical/searches",
        write="clinical/searches",
        describe_table="ledger members",
    ),
    # All versions, also those of the newest content; of recordings the heads only, as plan_batch.
    "search_range": rights(
        list_versions="media clinical audience operations accesslogs",
        list="media clinical audience operations accesslogs",
        read_version="clinical/transcripts clinical/documents clinical/entity-jobs clinical/entities clinical/records "
        "clinical/deidentified clinical/reports clinical/batches clinical/batchesother clinical/searches "
        "clinical/analysis/findings clinical/analysis/utterances "
        "audience/seeds audience/suppression audience/seedsother operations/other accesslogs/other",
        head_version="media/media media/mediaother",
        read="clinical/searches",
        write="clinical/searches",
        scan="ledger members",
    ),
    "mark_records": members(write="changed"),
    "compact_records": rights(
        read="clinical/records clinical/transcripts clinical/analysis/findings clinical/analysis/utterances",
        list="clinical",
        write="clinical/analysis/findings clinical/analysis/utterances",
    )
    | items("analysed compaction", update="analysed compaction")
    | members(read="changed", delete="changed"),
}

SEARCH_STEPS = ("divide_search", "search_range")
COMPACTION_STEPS = ("mark_records", "compact_records")
NO_STEPS = ("ingest", "share_jobs", *SEARCH_STEPS, *COMPACTION_STEPS)
STATE_MACHINE = rights(
    invoke=" ".join(
        name for name in FUNCTIONS if name not in ("ingest", "share_jobs", *SEARCH_STEPS, *COMPACTION_STEPS)
    ),
    read="clinical/batches",
    list="clinical",
    start_execution="pipeline",
    describe_execution="pipeline pipeline-child",
    stop_execution="pipeline pipeline-child",
    redrive_execution="pipeline pipeline-child",
    # Log delivery takes the account's log resource policies, which name no resources.
    put_log_policy="account",
    list_log_policies="account",
    list_log_groups="account",
)

BACKFILL = rights(
    # Below media/ only, which no probe of the whole bucket asks for.
    list_recordings="media",
    start_execution="pipeline backfill",
    describe_execution="pipeline backfill backfill-child",
    stop_execution="pipeline backfill backfill-child",
    redrive_execution="backfill-child",
    read_rule="nested-executions",
    redirect_rule="nested-executions",
    put_log_policy="account",
    list_log_policies="account",
    list_log_groups="account",
)

SEARCH = rights(
    invoke=" ".join(SEARCH_STEPS),
    start_execution="search",
    describe_execution="search search-child",
    stop_execution="search search-child",
    redrive_execution="search search-child",
    put_log_policy="account",
    list_log_policies="account",
    list_log_groups="account",
)

ANALYSIS = rights(
    invoke=" ".join(COMPACTION_STEPS),
    # Its right to list is for records/ only, which no probe of the clinical bucket asks for.
    start_execution="analysis",
    describe_execution="analysis analysis-child",
    stop_execution="analysis analysis-child",
    redrive_execution="analysis analysis-child",
    put_log_policy="account",
    list_log_policies="account",
    list_log_groups="account",
)

DATA_ACCESS: Mapping[str, Rights] = {
    # Comprehend Medical uses the key in ways that aren't documented, hence directly too.
    "EntityDetection": rights(
        read="clinical/documents",
        list="clinical",
        write="clinical/entities",
        decrypt="clinical-key",
        data_key="clinical-key",
        describe_key="clinical-key",
    ),
    "SeedReader": rights(
        read="audience/seeds",
        list="audience",
        decrypt="audience-key",
        describe_key="audience-key",
    ),
}


def allow_list() -> dict[str, Rights]:
    """Role -> what it may do."""
    functions = {name: own | rights(log="own-log") for name, own in FUNCTIONS.items()}
    return {
        **functions,
        "state machine": STATE_MACHINE,
        "backfill": BACKFILL,
        "search": SEARCH,
        "analysis": ANALYSIS,
        **DATA_ACCESS,
    }


# Role -> what its service may name as its source, beside the role's own, as a change of that one's ARN. Children of
# the state machine's Map may come as the Map. Clean Rooms ML may name no job: its guide's trust is `IfExists`.
OTHER_SOURCES: Mapping[str, Callable[[str], str]] = {
    "state machine": lambda machine: f"{machine}/TranscribeMedia",
    "backfill": lambda machine: f"{machine}/Batches",
    "search": lambda machine: f"{machine}/SearchRanges",
    "analysis": lambda machine: f"{machine}/CompactDigits",
    "SeedReader": lambda job: "",
}

# Role -> the only service that may assume it.
TRUSTED: Mapping[str, str] = {
    **dict.fromkeys(FUNCTIONS, "lambda.amazonaws.com"),
    "state machine": "states.amazonaws.com",
    "backfill": "states.amazonaws.com",
    "search": "states.amazonaws.com",
    "analysis": "states.amazonaws.com",
    "EntityDetection": "comprehendmedical.amazonaws.com",
    "SeedReader": "cleanrooms-ml.amazonaws.com",
}
