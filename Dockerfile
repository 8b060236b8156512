# One image for the four services and the portal: docker-compose.yml says which one a container is.
FROM python:3.11.14-slim-bookworm AS packages

ENV UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_PYTHON_DOWNLOADS=never
WORKDIR /app
RUN pip install --no-cache-dir --disable-pip-version-check uv==0.13.9
COPY pyproject.toml uv.lock ./
# Neither the operator's tools nor the tests, nor the project itself: it is found by PYTHONPATH.
RUN uv sync --frozen --no-default-groups --no-dev --no-install-project

FROM python:3.11.14-slim-bookworm

ENV PATH=/app/.venv/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
RUN groupadd --system --gid 10001 desk \
    && useradd --system --uid 10001 --gid desk --home-dir /nonexistent --shell /usr/sbin/nologin desk
COPY --from=packages /app/.venv ./.venv
COPY deploy/healthcheck.py deploy/object_store_init.py ./deploy/
COPY shared ./shared
COPY services ./services
COPY portal ./portal
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "deploy/healthcheck.py", "/healthz"]
CMD ["python", "-m", "services.intake.main"]
