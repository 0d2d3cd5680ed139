"""The request parameters of the three jobs in cdk.json and in an execution's input, by operation and by name.

For example `{"StartMedicalTranscriptionJob": {"Type": "CONVERSATION"}, ...}`, with the services' own names.
"""

from collections.abc import Mapping
from typing import Any

from lambdas.rules import clean_rooms_ml, comprehend_medical, transcribe_medical
from lambdas.rules.sdk_model import given, input_shape

# Required by the service, but without a model the pipeline just generates no audience.
NOT_NEEDED = ("configuredAudienceModelArn",)
OPERATIONS = {service.OPERATION: service for service in (transcribe_medical, comprehend_medical, clean_rooms_ml)}


def merged(parameters: Any, patch: Any) -> Any:
    """`parameters` with `patch` applied as a JSON Merge Patch (RFC 7396): objects merge, null removes."""
    if not isinstance(patch, dict):
        return patch
    result = dict(parameters) if isinstance(parameters, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def problems(parameters: Any) -> list[str]:
    """One sentence per parameter that the services would refuse, beginning with the parameter's path."""
    if not isinstance(parameters, Mapping):
        return [f"is a {type(parameters).__name__}, not an object with {', '.join(OPERATIONS)}."]
    unknown = sorted(set(parameters) - set(OPERATIONS))
    found = [f"{name} is not an operation of the pipeline; those are {', '.join(OPERATIONS)}." for name in unknown]
    for operation, service in OPERATIONS.items():
        asked = parameters.get(operation, {})
        if not isinstance(asked, Mapping):
            found.append(f"{operation} is a {type(asked).__name__}, not an object.")
            continue
        shape = input_shape(service.SERVICE, operation)
        settled = {*service.SET_BY_PIPELINE, *NOT_NEEDED, *given(asked)}
        missing = [name for name in shape.required_members if name not in settled]
        found += [f"{operation}: {name} is missing; the service needs it." for name in missing]
        found += [f"{operation}: {problem}" for problem in service.settings_problems(asked, shape)]
    return found
