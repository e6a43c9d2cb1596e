"""Addresses of planning's pages, from the root on."""

from django.urls import path

from platform_risk.planning.views import coverage, incidents, remedies, reviews

app_name = "planning"
urlpatterns = [
    path("alert-coverage/", coverage.alert_coverage, name="alert-coverage"),
    path("incidents/", incidents.incident_list, name="incidents"),
    path("incidents/new/", incidents.incident_new, name="incident-new"),
    path("incidents/file/", incidents.incident_upload, name="incident-upload"),
    path("incidents/<int:pk>/", incidents.incident, name="incident"),
    path("incidents/<int:pk>/edit/", incidents.incident_edit, name="incident-edit"),
    path("incidents/<int:pk>/delete/", incidents.incident_delete, name="incident-delete"),
    path("reviews/", reviews.review_page, name="reviews"),
    path("reviews/<str:week>/", reviews.review_page, name="review"),
    path("reviews/<str:week>/note/", reviews.note, name="review-note"),
    path("remedies/", remedies.remedy_list, name="remedies"),
    path("best-remedies/", remedies.best, name="best-remedies"),
    path("remedies/new/", remedies.remedy_new, name="remedy-new"),
    path("remedies/<str:slug>/", remedies.remedy, name="remedy"),
    path("remedies/<str:slug>/edit/", remedies.remedy_edit, name="remedy-edit"),
    path("remedies/<str:slug>/delete/", remedies.remedy_delete, name="remedy-delete"),
]
