"""Addresses of the API, below /api/v1/."""

from django.urls import URLPattern, URLResolver, path, re_path
from rest_framework.routers import SimpleRouter

from costs.api import urls as costs_urls
from findings.api import urls as findings_urls
from platform_risk.core.api import endpoints
from platform_risk.core.api.facts import Facts
from platform_risk.core.api.pages import NoSuchAddress, SchemaView
from platform_risk.joint.api import Imports
from platform_risk.planning.api import urls as planning_urls

app_name = "api"

router = SimpleRouter()
router.register("imports", Imports, "import")
findings_urls.register(router)
costs_urls.register(router)
planning_urls.register(router)
router.register("services", endpoints.Services, "service")
router.register("teams", endpoints.Teams, "team")
router.register("environments", endpoints.Environments, "environment")
router.register("ownership-rules", endpoints.OwnershipRules, "ownership-rule")
router.register("users", endpoints.Users, "user")
router.register("tokens", endpoints.Tokens, "token")

urlpatterns: list[URLPattern | URLResolver] = [
    path("schema/", SchemaView.as_view(), name="schema"),
    path("facts/", Facts.as_view({"get": "list", "put": "state"}), name="fact-list"),
    *router.urls,
    re_path(r"", NoSuchAddress.as_view(), name="no-such-address"),
]
