"""The refusals of both APIs: `{"errors": [{"code", "message", "details"}]}`."""

from dataclasses import dataclass

from simulator.encoding import encode


@dataclass(eq=False)
class ApiError(Exception):
    """A refusal with Amazon's status, code and texts."""

    status: int
    code: str
    message: str
    details: str = ""

    def body(self) -> bytes:
        """Return the reply's JSON body."""
        error = {"code": self.code, "message": self.message, "details": self.details}
        return encode({"errors": [error]})


INVALID_INPUT = "InvalidInput"
INVALID_REQUEST_PARAMETER = "INVALID_REQUEST_PARAMETER"


def invalid_input(details: str = "") -> ApiError:
    """A value that Amazon refuses, usually without saying which."""
    return ApiError(400, INVALID_INPUT, "Invalid Input", details)


def invalid_request_parameter(details: str = "") -> ApiError:
    """The same refusal as the order operations of Amazon Business put it."""
    return ApiError(400, INVALID_REQUEST_PARAMETER, "The request parameter is invalid.", details)


def unauthorized(details: str) -> ApiError:
    """Token missing, expired or revoked, or a role missing: one code for all of them."""
    return ApiError(403, "Unauthorized", "Access to requested resource is denied.", details)


def not_found(details: str = "") -> ApiError:
    """No resource at this path."""
    return ApiError(404, "NotFound", "The resource specified does not exist.", details)


def resource_not_found() -> ApiError:
    """No shipments: the answer that vendors without any get at all times."""
    return ApiError(404, "ResourceNotFound", "The requested resource was not found.")


def quota_exceeded() -> ApiError:
    """The token bucket is empty."""
    return ApiError(429, "QuotaExceeded", "You exceeded your quota for the requested resource.")
