"""Addresses of the pages of findings, below /findings/."""

from django.urls import path

from findings.views import bulk, detail, listing, saved, writing

app_name = "findings"
urlpatterns = [
    path("", listing.finding_list, name="finding-list"),
    path("group/", listing.group_rows, name="group-rows"),
    path("new/", writing.new, name="finding-new"),
    path("views/", saved.views, name="views"),
    path("views/<int:pk>/delete/", saved.delete, name="view-delete"),
    path("bulk/<str:verb>/", bulk.decide, name="bulk"),
    path("decisions/<int:pk>/", bulk.decision, name="decision"),
    path("decisions/<int:pk>/undo/", bulk.undo, name="decision-undo"),
    path("<int:number>/", detail.finding_detail, name="finding-detail"),
    path("<int:number>/panel/", detail.panel, name="finding-panel"),
    path("<int:number>/comment/", detail.comment, name="finding-comment"),
    path("<int:number>/<str:verb>/", detail.decide, name="finding-decide"),
]
