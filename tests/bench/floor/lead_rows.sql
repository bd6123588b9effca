-- After people.sql: the new leads of crm_export.sql as rows of the table `leads`, to standard output.
COPY (
    SELECT '01900000-0000-7000-8001-000000000001', uuidv7(), email, email, first_name, last_name, company, job_title,
           phone, website, country, source, custom_fields, search_text
    FROM pg_temp.people(:leads + 4001, :leads + 4000 + :rows * (100 - :existing) / 100, :seed)
) TO STDOUT;
