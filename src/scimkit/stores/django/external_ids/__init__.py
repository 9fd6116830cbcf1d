"""An app with tables for the `externalId` of Django's own users and groups, which have no column for it.

Put `scimkit.stores.django.external_ids` into INSTALLED_APPS, and run `migrate`. `auth_models()` then maps `externalId`.
"""
