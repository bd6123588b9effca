-- After people.sql: `rows` rows as a CRM exports them, to standard output. Of them `existing` per cent are leads that
-- crowd.sql made (of `leads`), half of which say more than it did; one row in a hundred comes twice, and one in two
-- hundred has no address that can be read.
SELECT :rows * :existing / 100 AS known, :rows * (100 - :existing) / 10000 AS again \gset
COPY (
    WITH everybody AS (
        (SELECT *, pg_temp.draw(n, 1) < 0.5 AS told, 1 AS copy
         FROM pg_temp.people(1, :leads, :seed, greatest(1, :leads / greatest(1, :known))) LIMIT :known)
        UNION ALL
        SELECT newcomers.*, false, copy
        FROM pg_temp.people(:leads + 4001, :leads + 4000 + :rows - :known - :again, :seed) newcomers
        CROSS JOIN LATERAL generate_series(1, CASE WHEN n <= :leads + 4000 + :again THEN 2 ELSE 1 END) copy
    )
    SELECT first_name AS "First Name", last_name AS "Last Name",
           CASE WHEN pg_temp.draw(n, 2) < 0.005 THEN replace(email, '@', ' at ') ELSE email END AS "Email",
           company AS "Company",
           CASE WHEN told THEN coalesce(job_title, 'Head of Purchasing') ELSE job_title END AS "Job Title",
           CASE WHEN pg_temp.draw(n, 3) < 0.3 THEN left(phone, 3) || ' ' || substr(phone, 4, 4) || ' ' || substr(phone, 8)
                ELSE phone END AS "Phone Number",
           website AS "Website", country AS "Country", source AS "Lead Source",
           custom_fields ->> 'plan' AS "Plan", custom_fields ->> 'seats' AS "Seats"
    FROM everybody
    ORDER BY hashint8extended(n, copy), copy
) TO STDOUT (FORMAT csv, HEADER);
