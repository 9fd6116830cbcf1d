"""A Django app with tables for the `externalId` of Django's own users and groups, which have no such column.

Add `scimkit.stores.django.external_ids` to INSTALLED_APPS, and run `migrate`. `auth_models()` then maps `externalId`.
"""
