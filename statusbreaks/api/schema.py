"""The OpenAPI description, by drf-spectacular where that is installed (`pip install "statusbreaks[api-schema]"`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.urls import URLPattern, path

F = TypeVar("F", bound=Callable[..., Any])

BY_FIELD = dict  # what is wrong, by the name of the field


@dataclass(frozen=True)
class Description:
    """What the code of a view does not tell: its answers by status, what it takes, and the keys of its query."""

    responses: Mapping[int, Any]
    request: Any = None
    parameters: Sequence[Any] = field(default_factory=list)


def describe(**said: Any) -> Callable[[F], F]:
    def mark(method: F) -> F:
        method.described = Description(**said)  # type: ignore[attr-defined]
        return method

    return mark


def only_ours(endpoints: list[tuple[str, str, str, Any]], **_: Any) -> list[tuple[str, str, str, Any]]:
    """Leave the shop's own REST API out of our description."""
    return [endpoint for endpoint in endpoints if endpoint[3].cls.__module__.startswith("statusbreaks.")]


try:
    from drf_spectacular.extensions import OpenApiAuthenticationExtension
    from drf_spectacular.openapi import AutoSchema
    from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer
    from drf_spectacular.views import SpectacularAPIView
except ImportError:

    def view_schema() -> Any:
        return None

    def schema_routes() -> list[URLPattern]:
        return []

else:

    def view_schema() -> Any:
        return DescribedSchema()

    def schema_routes() -> list[URLPattern]:
        return [path("schema/", SchemaView.as_view(), name="api-schema")]

    class DescribedSchema(AutoSchema):
        """Not by spectacular's own decorator, which wants the project's default schema class to be its own."""

        @property
        def described(self) -> Description:
            description: Description = getattr(self.view, self.method.lower()).described
            return description

        def get_request_serializer(self) -> Any:
            return self.described.request

        def get_response_serializers(self) -> Any:
            return dict(self.described.responses)

        def get_override_parameters(self) -> Any:
            return list(self.described.parameters)

    class SchemaView(SpectacularAPIView):
        authentication_classes: list[Any] = []
        permission_classes: list[Any] = []
        renderer_classes = [OpenApiJsonRenderer, OpenApiYamlRenderer]
        schema = None
        custom_settings = {
            "TITLE": "statusbreaks",
            "VERSION": "1",
            "PREPROCESSING_HOOKS": ["statusbreaks.api.schema.only_ours"],
        }

    class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
        target_class = "statusbreaks.api.authentication.TokenAuthentication"
        name = "token"

        def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
            return {"type": "http", "scheme": "bearer"}
