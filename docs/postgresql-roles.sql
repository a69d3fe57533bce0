-- Two roles for one database: `cites_owner` migrates, `cites_app` serves and can neither change nor remove what the
-- journal holds. Run it in that database as a superuser, before the first `cites migrate` or after it; it may be run
-- again. Give both roles passwords, or whatever pg_hba.conf asks of them.

DO $$ BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'cites_owner') THEN CREATE ROLE cites_owner LOGIN; END IF;
  IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'cites_app') THEN CREATE ROLE cites_app LOGIN; END IF;
END $$;

-- Searches in names use it; to make it takes rights that the owner need not have.
CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- The tables are the owner's, those that exist and those to come.
GRANT USAGE, CREATE ON SCHEMA public TO cites_owner;
GRANT USAGE ON SCHEMA public TO cites_app;
DO $$ DECLARE t text; BEGIN
  FOR t IN SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public' LOOP
    EXECUTE 'ALTER TABLE public.' || t || ' OWNER TO cites_owner';
  END LOOP;
END $$;

-- The application reads and writes rows, and no more.
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO cites_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO cites_app;
ALTER DEFAULT PRIVILEGES FOR ROLE cites_owner IN SCHEMA public
  GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO cites_app;
ALTER DEFAULT PRIVILEGES FOR ROLE cites_owner IN SCHEMA public GRANT USAGE ON SEQUENCES TO cites_app;

-- What is written in the journal stays. Tables to come get all four rights above: run this again after a first
-- `cites migrate`.
DO $$ DECLARE t text; BEGIN
  FOREACH t IN ARRAY ARRAY['journal', 'audit_seal', 'seaql_migrations'] LOOP
    IF to_regclass('public.' || t) IS NOT NULL THEN
      EXECUTE 'REVOKE UPDATE, DELETE, TRUNCATE ON public.' || t || ' FROM cites_app';
    END IF;
  END LOOP;
END $$;

-- From PostgreSQL 17 on: lets the application vacuum the tables from which erasures take something.
DO $$ DECLARE t text; BEGIN
  FOREACH t IN ARRAY ARRAY['referent', 'idempotency_key'] LOOP
    IF current_setting('server_version_num')::int >= 170000 AND to_regclass('public.' || t) IS NOT NULL THEN
      EXECUTE 'GRANT MAINTAIN ON public.' || t || ' TO cites_app';
    END IF;
  END LOOP;
END $$;
