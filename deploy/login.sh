#!/bin/sh
# Run once by the image of PostgreSQL, on an empty volume: the owner's login and the service's, without superpowers.
set -eu
: "${OWNER_PASSWORD:?set it in deploy/postgres.env}" "${APP_PASSWORD:?set it in deploy/postgres.env}"

psql --no-psqlrc --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
  --set owner_password="$OWNER_PASSWORD" --set app_password="$APP_PASSWORD" <<'SQL'
CREATE ROLE leadflood_owner LOGIN CREATEROLE PASSWORD :'owner_password';
CREATE ROLE leadflood_app LOGIN NOINHERIT PASSWORD :'app_password';
GRANT leadflood_app TO leadflood_owner WITH ADMIN OPTION;
CREATE DATABASE leadflood OWNER leadflood_owner;
SQL
