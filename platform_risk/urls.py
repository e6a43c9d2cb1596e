"""Every address of the product."""

from django.urls import URLPattern, URLResolver, include, path

from platform_risk.core import health
from platform_risk.core.api.pages import docs
from platform_risk.core.api.pages import failed as handler500  # noqa: F401 # Django finds it by this name

urlpatterns: list[URLPattern | URLResolver] = [
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
    path("api/docs/", docs, name="api-docs"),
    path("api/v1/", include("platform_risk.api_urls")),
    path("findings/", include("findings.urls")),
    path("risk/", include("findings.risk_urls")),
    path("costs/", include("costs.urls")),
    path("", include("platform_risk.planning.urls")),
    path("", include("platform_risk.core.urls")),
    path("", include("platform_risk.joint.urls")),
]
