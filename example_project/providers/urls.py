"""The providers' pages."""

from django.urls import path

from example_project.providers import views

urlpatterns = [
    path("webhooks/payments/", views.payments_webhook, name="payments_webhook"),
    path("staff/providers/", views.providers, name="staff_providers"),
    path("staff/providers/<slug:code>/", views.switch, name="staff_provider_switch"),
]
