"""Athena's operations on queries: start, describe, stop, and read the result.

https://docs.aws.amazon.com/athena/latest/APIReference/API_StartQueryExecution.html
https://docs.aws.amazon.com/athena/latest/APIReference/API_GetQueryExecution.html
https://docs.aws.amazon.com/athena/latest/APIReference/API_GetQueryResults.html: the reader of a result needs the right
to read its object in S3. The workgroup's settings override the caller's, if it enforces them:
https://docs.aws.amazon.com/athena/latest/ug/workgroups-settings-override.html

Difference from AWS. ExecutionParameters are refused.
"""

import json
import os
from collections.abc import Sequence
from typing import Any

from botocore.exceptions import ClientError
from moto.athena.responses import AthenaResponse
from moto.core.exceptions import JsonRESTError

from local.aws.athena_queries import UNFINISHED, QueryExecution
from local.aws.athena_tables import Caller
from local.aws.credentials import caller_credentials
from local.aws.s3_uris import split_uri

_MOST_ROWS = 1000


def start_query_execution(self: AthenaResponse) -> str:
    """AthenaResponse.start_query_execution."""
    name = self._get_param("WorkGroup") or "primary"
    workgroup = self.athena_backend.work_groups.get(name)
    if workgroup is None:
        raise _invalid(f"WorkGroup {name} is not found.")
    if self._get_param("ExecutionParameters"):
        raise _invalid("ExecutionParameters: the local AWS takes none; write the values into the query")
    configured = workgroup.configuration.get("ResultConfiguration") or {}
    asked = {} if workgroup.configuration["EnforceWorkGroupConfiguration"] else self._get_param("ResultConfiguration")
    result = {**configured, **(asked or {})}
    if not result.get("OutputLocation"):
        raise _invalid(
            "No output location provided. An output location is required either through the Workgroup result "
            "configuration setting or as an API input."
        )
    caller = _caller(self)
    bucket, _ = split_uri(result["OutputLocation"])
    try:
        caller.client("s3").get_bucket_location(Bucket=bucket)
    except ClientError:
        raise _invalid(f"Unable to verify/create output bucket {bucket}") from None
    context = self._get_param("QueryExecutionContext") or {}
    execution = QueryExecution(self._get_param("QueryString"), context, workgroup, result)
    self.athena_backend.executions[execution.id] = execution  # type: ignore[assignment]
    execution.start(caller)
    return json.dumps({"QueryExecutionId": execution.id})


def get_query_execution(self: AthenaResponse) -> str:
    """AthenaResponse.get_query_execution."""
    execution = _execution(self)
    status = {"State": execution.status, "SubmissionDateTime": execution.start_time}
    if execution.end_time:
        status["CompletionDateTime"] = execution.end_time
    if execution.reason:
        status["StateChangeReason"] = execution.reason
    milliseconds = int(((execution.end_time or execution.start_time) - execution.start_time) * 1000)
    described = {
        "QueryExecutionId": execution.id,
        "Query": execution.query,
        "StatementType": "DML",
        "ResultConfiguration": execution.config,
        "QueryExecutionContext": execution.context,
        "Status": status,
        "Statistics": {
            "DataScannedInBytes": execution.bytes_scanned,
            "EngineExecutionTimeInMillis": milliseconds,
            "TotalExecutionTimeInMillis": milliseconds,
        },
        "WorkGroup": execution.workgroup.name,
        "EngineVersion": {
            "SelectedEngineVersion": execution.workgroup.configuration["EngineVersion"]["SelectedEngineVersion"],
            "EffectiveEngineVersion": "Athena engine version 3",
        },
    }
    return json.dumps({"QueryExecution": described})


def stop_query_execution(self: AthenaResponse) -> str:
    """AthenaResponse.stop_query_execution: a query that has ended stays as it is."""
    _execution(self).stop()
    return "{}"


def get_query_results(self: AthenaResponse) -> str:
    """AthenaResponse.get_query_results: the columns' names are the first row."""
    execution = _execution(self)
    if execution.status in UNFINISHED:
        raise _invalid(f"Query has not yet finished. Current state: {execution.status}")
    if execution.status != "SUCCEEDED" or execution.answer is None:
        raise _invalid(f"Query did not finish successfully. Final query state: {execution.status}")
    bucket, key = split_uri(execution.config["OutputLocation"])
    try:
        _caller(self).client("s3").get_object(Bucket=bucket, Key=key)
    except ClientError as error:
        raise _invalid(f"{execution.config['OutputLocation']}: {error.response['Error'].get('Message')}") from None
    columns = execution.answer.columns
    rows: list[Sequence[str | None]] = [[name for name, _ in columns], *execution.answer.rows]
    begin = int(self._get_param("NextToken") or 0)
    end = begin + int(self._get_param("MaxResults") or _MOST_ROWS)
    answer: dict[str, Any] = {
        "ResultSet": {
            "Rows": [
                {"Data": [{} if value is None else {"VarCharValue": value} for value in row]} for row in rows[begin:end]
            ],
            "ResultSetMetadata": {
                "ColumnInfo": [{"CatalogName": "hive", "Name": name, "Label": name, "Type": t} for name, t in columns]
            },
        },
        "UpdateCount": 0,
    }
    if end < len(rows):
        answer["NextToken"] = str(end)
    return json.dumps(answer)


def _execution(response: AthenaResponse) -> QueryExecution:
    query = response._get_param("QueryExecutionId")
    execution: Any = response.athena_backend.executions.get(query)
    if execution is None:
        raise _invalid(f"QueryExecution {query} was not found")
    found: QueryExecution = execution
    return found


def _caller(response: AthenaResponse) -> Caller:
    return Caller(os.environ["AWS_ENDPOINT_URL"], response.region, caller_credentials(response.access_key))


def _invalid(message: str) -> JsonRESTError:
    return JsonRESTError("InvalidRequestException", message)


def install() -> None:
    """Put this into moto; repeating it changes nothing."""
    AthenaResponse.start_query_execution = start_query_execution  # type: ignore[method-assign]
    AthenaResponse.get_query_execution = get_query_execution  # type: ignore[method-assign]
    AthenaResponse.stop_query_execution = stop_query_execution  # type: ignore[method-assign]
    AthenaResponse.get_query_results = get_query_results  # type: ignore[method-assign]
