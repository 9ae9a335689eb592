"""The provider's message comes in; staff play an outage."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from example_project.providers import webhook
from example_project.providers.models import Provider
from example_project.shop.views.staff import staff_only


@csrf_exempt  # signed instead
@require_POST
def payments_webhook(request: HttpRequest) -> HttpResponse:
    signature = request.headers.get("Payment-Signature", "")
    try:
        changed = webhook.receive(request.body, signature, settings.PAYMENTS_WEBHOOK_SECRET, timezone.now())
    except webhook.BadSignature as error:
        return JsonResponse({"error": str(error)}, status=401)
    except webhook.BadMessage as error:
        return JsonResponse({"error": str(error)}, status=400)
    return JsonResponse({"changed": changed})


@staff_only
@require_GET
def providers(request: HttpRequest) -> HttpResponse:
    context = {"providers": Provider.objects.all(), "modes": Provider.Mode}
    return render(request, "providers/providers.html", context)


@staff_only
@require_POST
def switch(request: HttpRequest, code: str) -> HttpResponse:
    provider = get_object_or_404(Provider, code=code)
    mode = request.POST.get("mode", "")
    if mode not in Provider.Mode.values:
        return HttpResponse(_("Unknown mode."), status=400)
    provider.switch(mode, timezone.now())
    messages.success(request, f"{provider}: {provider.get_mode_display()}.")
    return redirect("staff_providers")
