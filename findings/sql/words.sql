-- Words of a finding for search. Everything that is no letter or digit separates, so that a part of a path or of an
-- identifier is found; 'simple' because identifiers are no English. IMMUTABLE holds: for text[] array_to_string
-- depends on no setting, and the configuration is named.
CREATE OR REPLACE FUNCTION findings_words(words text, identifiers text[]) RETURNS tsvector LANGUAGE sql IMMUTABLE AS
$$ SELECT to_tsvector('pg_catalog.simple',
     regexp_replace(left(words || ' ' || array_to_string(identifiers, ' '), 4000), '[^[:alnum:]]+', ' ', 'g')) $$;
