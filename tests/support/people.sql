-- `pg_temp.people(low, high, seed, step)`: persons number `low` to `high` of a CRM, every `step`th, for whoever needs many
-- leads. Person n of a seed is always the same, however many there are.
--
-- As in real lists, little is even: a few names, countries, sources and mail providers are very common and most are
-- rare; a company has many people or one (Zipf's law with the exponent 0.6, over 200,000 companies); fields are missing;
-- one person in fifty is another one's duplicate (same name, company and telephone, another address).

CREATE FUNCTION pg_temp.draw(n bigint, salt bigint) RETURNS float8 LANGUAGE sql IMMUTABLE AS
$$ SELECT (hashint8extended(n, salt) & 16777215)::float8 / 16777216 $$;

-- What `leadflood.kernel.text.search_key` makes of the letters below.
CREATE FUNCTION pg_temp.folded(shown text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT replace(translate(lower(shown), 'áàâäãåąçćčéèêëęěíîïıłńñóôöõøřśšúùûüýžźżđğάέίόύώςй',
                                           'aaaaaaaccceeeeeeiiiilnnooooorssuuuuyzzzdgαειουωσи'), 'ß', 'ss')
$$;

CREATE FUNCTION pg_temp.plain(shown text) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT coalesce(nullif(regexp_replace(pg_temp.folded(shown), '[^a-z0-9]', '', 'g'), ''), 'contact') $$;

CREATE TEMPORARY TABLE first_names AS
SELECT place::integer, shown, pg_temp.folded(shown) AS folded, pg_temp.plain(shown) AS plain
FROM string_to_table(
    'Anna Michael Thomas Maria David Sarah Andreas Julia James Laura Peter Sophie Stefan Lisa Daniel Emma José Martin '
    'Jürgen Emily Markus Claire Robert Zoë Björn Alice François Linda Paweł Ingrid Carlos Renée Søren Olivia Łukasz Nora '
    'Mehmet Chiara João Fatma Jiří Priya Mohammed Käthe Иван Yuki Μαρία Ana-Lucía 伟 Сергей Nguyên 美咲', ' '
) WITH ORDINALITY AS names (shown, place);

-- The common ones, then 8,000 that hardly anybody has.
CREATE TEMPORARY TABLE last_names AS
WITH syllables AS (
    SELECT part, place FROM string_to_table('ko ma le bra ste wi ho ri sa du fe gro na pe to va ze lin mar bu', ' ')
        WITH ORDINALITY AS parts (part, place)
), names AS (
    SELECT shown, place FROM string_to_table(
        'Müller Smith Schmidt García Jones Schneider Martin Fischer Weber Rossi Brown Nowak Meyer Wagner Bernard Jensen '
        'Becker Kowalski Dubois Johansson Silva Schulz Novák Hoffmann Taylor López Nguyen Koch Yıldız Bauer Richter '
        'Klein Wolf Schröder Neumann Çelik Große Österberg D''Angelo O''Neill Łukaszewicz Петров Παπαδόπουλος 王 李 佐藤',
        ' ') WITH ORDINALITY AS common (shown, place)
    UNION ALL
    SELECT initcap(a.part || b.part || c.part || 'r'), 100 + a.place * 400 + b.place * 20 + c.place
    FROM syllables a, syllables b, syllables c
)
SELECT row_number() OVER (ORDER BY place)::integer AS place, shown, pg_temp.folded(shown) AS folded,
       pg_temp.plain(shown) AS plain
FROM names;

CREATE TEMPORARY TABLE companies AS
WITH words AS (
    SELECT a.part || b.part AS word, row_number() OVER (ORDER BY a.place, b.place) - 1 AS place
    FROM string_to_table('nova alpen nord terra medi auto luna vita agro digi euro hydro inno logi maxi neo omni poly '
                         'rhein solar tech uni vari west blau cargo delta elbe fein gross', ' ')
             WITH ORDINALITY AS a (part, place),
         string_to_table('tec med werk soft plan bau lux dat line ment gen port mark net form cell', ' ')
             WITH ORDINALITY AS b (part, place)
), kinds AS (
    SELECT kind, place - 1 AS place FROM string_to_table(
        'Logistik Solutions Möbel Consulting Systems Ingeniería Ateliers Energie Foods Pharma Immobilien Capital Robotics '
        'Textiles Media Café Seguros Bâtiment Analytics Holding Versand Optik Labs Motors Druck', ' '
    ) WITH ORDINALITY AS kinds (kind, place)
), forms AS (
    SELECT form, domain, place - 1 AS place
    FROM unnest(string_to_array('GmbH,Ltd,Inc,SARL,S.L.,AG,BV,ApS,sp. z o.o.,&  Co. KG,LLC,AB,Oy,SpA,Group,plc,KG', ','),
                string_to_array('de,co.uk,com,fr,es,ch,nl,dk,pl,com,com,se,fi,it,com,co.uk,de', ','))
         WITH ORDINALITY AS forms (form, domain, place)
), numbered AS (
    SELECT place, place * 7919 % 200000 AS mixed FROM generate_series(0, 199999) place
), named AS (
    SELECT n.place::integer, initcap(w.word) || ' ' || k.kind || ' ' || replace(f.form, '  ', ' ') AS shown,
           w.word || '-' || pg_temp.plain(k.kind) || '.' || f.domain AS domain
    FROM numbered n
    JOIN words w ON w.place = n.mixed % 480
    JOIN kinds k ON k.place = n.mixed / 480 % 25
    JOIN forms f ON f.place = n.mixed / 12000
)
SELECT place, shown, pg_temp.folded(shown) AS folded, domain FROM named;

CREATE FUNCTION pg_temp.people(low bigint, high bigint, seed bigint, step bigint DEFAULT 1)
RETURNS TABLE (n bigint, first_name text, last_name text, company text, email text, job_title text, phone text,
               website text, country text, source text, custom_fields jsonb, search_text text)
LANGUAGE sql STABLE AS $$
    SELECT d.n, CASE WHEN has_first THEN f.shown END, CASE WHEN has_last THEN l.shown END, c.shown, e.address,
           CASE WHEN draw_title < 0.55 THEN (string_to_array(
               'Sales Manager,Geschäftsführer,CEO,Marketing Manager,Einkauf,Head of IT,Engineer,CFO,Office Manager,'
               'Responsable des achats,Director,Consultant,Product Owner,Gerente,Buyer,Assistant,Founder', ','
           ))[1 + floor(power(draw_title / 0.55, 2) * 17)::integer] END,
           phone, CASE WHEN draw_website < 0.6 THEN 'https://' || c.domain END,
           CASE WHEN draw_country < 0.8 THEN (string_to_array(
               'DE US GB FR AT CH NL ES IT PL SE DK BE CA IN BR FI NO CZ PT IE AU JP TR GR RO HU UA MX SG LT EE NZ', ' '
           ))[1 + floor(power(draw_country / 0.8, 3) * 33)::integer] END,
           (string_to_array('web-form,api,import,linkedin,webinar,referral,trade-fair,partner', ','))[
               1 + floor(power(draw_source, 2.5) * 8)::integer],
           CASE WHEN draw_custom < 0.2 THEN jsonb_build_object(
               'plan', (ARRAY['free', 'team', 'business'])[1 + floor(power(draw_custom / 0.2, 2) * 3)::integer],
               'seats', ceil(power(draw_title, 4) * 500)::text) ELSE '{}' END,
           concat_ws(E'\n', nullif(concat_ws(' ', CASE WHEN has_first THEN f.folded END,
                                                  CASE WHEN has_last THEN l.folded END), ''), e.address, c.folded)
    FROM (
        SELECT numbered.n,
               1 + floor(power(pg_temp.draw(who, seed * 100 + 3), 2) * 52)::integer AS first_place,
               1 + floor(CASE WHEN pg_temp.draw(who, seed * 100 + 5) < 0.6
                         THEN power(pg_temp.draw(who, seed * 100 + 6), 2) * 46
                         ELSE 46 + pg_temp.draw(who, seed * 100 + 6) * 8000 END)::integer AS last_place,
               CASE WHEN pg_temp.draw(who, seed * 100 + 7) < 0.85
                    THEN floor(power(pg_temp.draw(who, seed * 100 + 8), 2.5) * 200000)::integer END AS company_place,
               pg_temp.draw(who, seed * 100 + 4) >= 0.06 AS has_first,
               pg_temp.draw(who, seed * 100 + 4) < 0.9 AS has_last,
               pg_temp.draw(numbered.n, seed * 100 + 9) AS draw_mail,
               pg_temp.draw(numbered.n, seed * 100 + 17) AS draw_provider,
               pg_temp.draw(numbered.n, seed * 100 + 10) AS draw_title,
               pg_temp.draw(who, seed * 100 + 11) AS draw_country,
               pg_temp.draw(numbered.n, seed * 100 + 12) AS draw_source,
               pg_temp.draw(numbered.n, seed * 100 + 13) AS draw_custom,
               pg_temp.draw(who, seed * 100 + 14) AS draw_website,
               CASE WHEN pg_temp.draw(who, seed * 100 + 15) < 0.6
                    THEN '+49151' || lpad((pg_temp.draw(who, seed * 100 + 16) * 99999999)::bigint::text, 8, '0') END AS phone
        FROM generate_series(low, high, step) AS numbered (n)
        CROSS JOIN LATERAL (
            SELECT CASE WHEN numbered.n > 1 AND pg_temp.draw(numbered.n, seed * 100 + 1) < 0.02
                        THEN numbered.n - 1 - floor(pg_temp.draw(numbered.n, seed * 100 + 2)
                                                    * least(numbered.n - 1, 1000))::bigint
                        ELSE numbered.n END AS who
            OFFSET 0
        ) place
    ) d
    JOIN first_names f ON f.place = d.first_place
    JOIN last_names l ON l.place = d.last_place
    LEFT JOIN companies c ON c.place = d.company_place
    CROSS JOIN LATERAL (
        SELECT CASE WHEN draw_title < 0.6 THEN f.plain || '.' || l.plain ELSE left(f.plain, 1) || l.plain END
               || d.n || '@' || CASE WHEN c.domain IS NOT NULL AND draw_mail > 0.4 THEN c.domain
                                     ELSE (string_to_array('gmail.com outlook.com gmx.de yahoo.com web.de hotmail.com '
                                                           't-online.de icloud.com orange.fr aol.com', ' '))[
                                         1 + floor(power(draw_provider, 2.5) * 10)::integer] END AS address
    ) e
$$;

ANALYZE first_names, last_names, companies;
