"""Addresses of the pages that need both apps, or the apps' formats beside the core's imports."""

from django.urls import path

from platform_risk.joint import imports, overview, service, team

app_name = "joint"
urlpatterns = [
    path("", overview.overview, name="overview"),
    path("demo/", overview.demo, name="demo"),
    path("services/<str:slug>/", service.service_page, name="service"),
    path("teams/<str:slug>/", team.team_page, name="team"),
    path("imports/", imports.import_list, name="import-list"),
    path("imports/rows/", imports.rows, name="import-rows"),
    path("imports/<int:pk>/", imports.import_detail, name="import-detail"),
    path("imports/<int:pk>/live/", imports.live, name="import-live"),
    path("imports/<int:pk>/cancel/", imports.cancel, name="import-cancel"),
    path("imports/<int:pk>/undo/", imports.undo, name="import-undo"),
    path("imports/<int:pk>/again/", imports.again, name="import-again"),
    path("imports/<int:pk>/columns/", imports.columns, name="import-columns"),
]
