"""The number of an object's parts in GetObjectAttributes' answer, which moto leaves out.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html: an object that was not uploaded in parts
has none. Differs from AWS: the parts of an upload with checksums aren't listed, since moto forgets them.
"""

from moto.core.common_types import TYPE_RESPONSE
from moto.s3.responses import S3Response

_END = "</GetObjectAttributesOutput>"

_moto_get_object_attributes = S3Response.get_object_attributes


def get_object_attributes(self: S3Response) -> TYPE_RESPONSE:
    """S3Response.get_object_attributes, with ObjectParts if asked for."""
    status, headers, body = _moto_get_object_attributes(self)
    version = self.querystring.get("versionId", [None])[0]
    key = self.backend.get_object(self.bucket_name, self.parse_key_name(), version)
    wanted = [name.strip() for name in self.headers.get("x-amz-object-attributes", "").split(",")]
    if status != 200 or key is None or key.multipart is None or "ObjectParts" not in wanted:
        return status, headers, body
    text = body.decode() if isinstance(body, bytes) else str(body)
    parts = f"<ObjectParts><PartsCount>{len(key.multipart.partlist)}</PartsCount></ObjectParts>"
    opened = f"{text.removesuffix('/>')}>" if text.endswith("/>") else text.removesuffix(_END)
    return status, headers, opened + parts + _END


def install() -> None:
    """Put this into moto; repeating it changes nothing."""
    S3Response.get_object_attributes = get_object_attributes  # type: ignore[method-assign]
