"""A Django app of a helpdesk that was written without SCIM."""
