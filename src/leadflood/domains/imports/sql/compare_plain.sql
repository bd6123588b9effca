-- Part of compare.sql: the columns of a lead that a row changes, as [before, after], and those that it leaves as they are.
SELECT coalesce(jsonb_object_agg(name, jsonb_build_array(own, given)) FILTER (
           WHERE given <> coalesce(own, '') AND (policy = 'overwrite' OR policy = 'fill_empty' AND own IS NULL)
       ), '{}') AS changes,
       coalesce(array_agg(name) FILTER (WHERE given <> own AND policy <> 'overwrite'), '{}') AS kept
FROM (VALUES
    ('first_name', l.first_name, i.first_name, :first_name::text),
    ('last_name', l.last_name, i.last_name, :last_name::text),
    ('company', l.company, i.company, :company::text),
    ('job_title', l.job_title, i.job_title, :job_title::text),
    ('phone', l.phone, i.phone, :phone::text),
    ('website', l.website, i.website, :website::text),
    ('country', l.country, i.country, :country::text),
    ('source', l.source, i.source, :source::text),
    ('owner_id', l.owner_id::text, i.owner_id::text, :owner_id::text)
) AS field (name, own, given, policy)
HAVING l.id IS NOT NULL
