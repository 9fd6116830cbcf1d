FROM python:3.13-slim

RUN pip install --no-cache-dir fastapi uvicorn itsdangerous 'scimkit[admin,postgresql]'
RUN useradd --system --uid 10001 helpdesk
WORKDIR /srv
COPY alembic.ini ./
COPY migrations migrations
COPY helpdesk helpdesk
USER 10001

EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/probes/readyz', timeout=3)"]

CMD ["uvicorn", "helpdesk.app:app", "--host", "0.0.0.0", "--port", "8000", "--timeout-graceful-shutdown", "30"]
