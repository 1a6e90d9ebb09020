-- What a query's SQL calls; made in a store once a query first needs it.
-- Kinds of values: text is VARCHAR, number DOUBLE, boolean BOOLEAN, time BIGINT (milliseconds since the epoch), structure JSON.

-- Text as a number: NULL unless it is one. 'inf' and 'nan' are words in a log.
CREATE OR REPLACE MACRO text_number(x) AS CASE WHEN isfinite(TRY_CAST(x AS DOUBLE)) THEN TRY_CAST(x AS DOUBLE) END;

-- A number as results show it: at most four decimals, and none that say nothing.
CREATE OR REPLACE MACRO number_text(x) AS CASE
    WHEN NOT isfinite(x) THEN NULL
    WHEN x = trunc(x) AND abs(x) < 1e37 THEN CAST(CAST(x AS HUGEINT) AS VARCHAR)
    WHEN abs(x) > 1e11 THEN CAST(x AS VARCHAR)
    WHEN round(x, 4) = trunc(round(x, 4)) THEN CAST(CAST(round(x, 4) AS BIGINT) AS VARCHAR)
    ELSE CAST(round(x, 4) + 0 AS VARCHAR) END;
CREATE OR REPLACE MACRO boolean_text(x) AS CASE WHEN x THEN '1' WHEN NOT x THEN '0' END;
CREATE OR REPLACE MACRO time_stamp(x) AS CASE
    WHEN x BETWEEN -62135596800000 AND 253402300799999 THEN make_timestamp_ms(x) END;
CREATE OR REPLACE MACRO time_text(x) AS strftime(time_stamp(x), '%Y-%m-%d %H:%M:%S.%g');
CREATE OR REPLACE MACRO number_time(x) AS TRY_CAST(x AS BIGINT);

-- Whether a value is a map or list.
CREATE OR REPLACE MACRO json_whole(j) AS left(CAST(j AS VARCHAR), 1) IN ('{', '[');

-- A JSON value as a field: numbers and strings as they stand, true and false as 1 and 0, maps and lists not at all.
CREATE OR REPLACE MACRO json_leaf(j) AS CASE left(CAST(j AS VARCHAR), 1)
    WHEN 't' THEN '1' WHEN 'f' THEN '0' WHEN 'n' THEN NULL WHEN '{' THEN NULL WHEN '[' THEN NULL
    ELSE json_extract_string(j, '') END;
CREATE OR REPLACE MACRO json_shown(j) AS
    CASE WHEN json_whole(j) THEN CAST(j AS VARCHAR) ELSE json_leaf(j) END;

-- A list, and a map or list that may be the text of a string.
CREATE OR REPLACE MACRO json_inside(j) AS
    CASE WHEN starts_with(CAST(j AS VARCHAR), '"') THEN TRY_CAST(json_extract_string(j, '') AS JSON) ELSE j END;
CREATE OR REPLACE MACRO json_list(j) AS TRY_CAST(json_inside(j) AS JSON[]);

-- Hexadecimal digits as a number; with a sign and 0x before them, or without.
CREATE OR REPLACE MACRO hex_number(x) AS CASE WHEN regexp_full_match(x, '-?(0[xX])?[0-9a-fA-F]+') THEN
    CASE WHEN starts_with(x, '-') THEN -1 ELSE 1 END
    * TRY_CAST('0x' || regexp_replace(x, '^-?(0[xX])?', '') AS UBIGINT)::DOUBLE END;

-- A number as a place in a text.
CREATE OR REPLACE MACRO text_index(x) AS CAST(least(greatest(x, 0), 1e9) AS INTEGER);

-- The distance along the surface of the earth, taken for a ball, between two places in degrees of latitude and longitude.
CREATE OR REPLACE MACRO haversine_kilometres(lat1, lon1, lat2, lon2) AS
    CASE WHEN lat1 + lon1 + lat2 + lon2 IS NOT NULL THEN TRY(2 * 6371 * asin(sqrt(least(1,
    pow(sin(radians(lat2 - lat1) / 2), 2) + cos(radians(lat1)) * cos(radians(lat2)) * pow(sin(radians(lon2 - lon1) / 2), 2)
    )))) END;

-- A sorted list of numbers, counted in ranges of equal width: a map of 'from - to' to the count. The last range has its end.
CREATE OR REPLACE MACRO histogram_bound(l, n, i) AS l[1] + (l[len(l)] - l[1]) * i / n;
CREATE OR REPLACE MACRO histogram_map(l, n) AS CASE WHEN len(l) > 0 THEN to_json(map_from_entries(list_transform(
    CASE WHEN l[1] = l[len(l)] THEN [0] ELSE range(n) END,
    lambda i: {
        'k': number_text(histogram_bound(l, n, i)) || ' - ' || number_text(histogram_bound(l, n, i + 1)),
        'v': len(list_filter(l, lambda x: x >= histogram_bound(l, n, i) AND (x < histogram_bound(l, n, i + 1) OR i = n - 1 OR l[1] = l[len(l)])))
    }))) END;

-- Natural order of text: a run of digits compares by its length, then by its digits, and otherwise as digits do.
CREATE OR REPLACE MACRO natural_order(x) AS array_to_string(list_transform(
    regexp_extract_all(x, '[0-9]+|[^0-9]+'),
    lambda run: CASE WHEN run BETWEEN '0' AND ':' THEN '0' || lpad(CAST(length(run) AS VARCHAR), 7, '0') || run ELSE run END
), '');

-- Whole periods before and after a time.
CREATE OR REPLACE MACRO floor_fixed(x, period) AS CAST(floor(x / period) AS BIGINT) * period;
CREATE OR REPLACE MACRO ceil_fixed(x, period) AS CAST(ceil(x / period) AS BIGINT) * period;
CREATE OR REPLACE MACRO month_number(x) AS CAST(
    12 * (year(time_stamp(x)) - 1970) + month(time_stamp(x)) - 1 AS INTEGER);
CREATE OR REPLACE MACRO month_time(months) AS
    epoch_ms(TIMESTAMP '1970-01-01' + to_months(CAST(months AS INTEGER)));
CREATE OR REPLACE MACRO floor_months(x, months) AS
    month_time(CAST(floor(month_number(x) / months) AS INTEGER) * months);
CREATE OR REPLACE MACRO ceil_months(x, months) AS
    CASE WHEN floor_months(x, months) = x THEN x ELSE month_time(CAST(floor(month_number(x) / months) + 1 AS INTEGER) * months) END;

-- What parse makes of a text: the JSON of key=value pairs, and a list of the values of a line of CSV (RFC 4180).
CREATE OR REPLACE MACRO unquoted_value(v) AS
    CASE WHEN len(v) > 1 AND starts_with(v, '"') AND ends_with(v, '"') THEN regexp_replace(v[2:-2], '\\(.)', '\1', 'gs') ELSE v END;
CREATE OR REPLACE MACRO logfmt_json(x) AS CAST('{' || array_to_string(list_transform(
    regexp_extract_all(x, '[^\s="]+=(?:"(?:[^"\\]|\\.)*"|\S*)'),
    lambda pair: to_json(split_part(pair, '=', 1)) || ':' || to_json(unquoted_value(substr(pair, strpos(pair, '=') + 1)))
), ',') || '}' AS JSON);
CREATE OR REPLACE MACRO csv_values(x) AS list_transform(
    regexp_extract_all(',' || x, ',("(?:[^"]|"")*"|[^,]*)', 1),
    lambda v: CASE WHEN starts_with(v, '"') AND ends_with(v, '"') AND len(v) > 1 THEN replace(v[2:-2], '""', '"') ELSE v END);

-- Addresses. An IPv6 address as its 32 hexadecimal digits, so that a subnet is a range of texts.
CREATE OR REPLACE MACRO is_ipv4(x) AS
    regexp_full_match(x, '((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])\.){3}(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])');
CREATE OR REPLACE MACRO ipv4_number(x) AS CASE WHEN is_ipv4(x) THEN
    CAST(split_part(x, '.', 1) AS BIGINT) * 16777216 + CAST(split_part(x, '.', 2) AS BIGINT) * 65536
    + CAST(split_part(x, '.', 3) AS BIGINT) * 256 + CAST(split_part(x, '.', 4) AS BIGINT) END;
CREATE OR REPLACE MACRO ipv6_groups(x) AS CASE WHEN x = '' THEN [] ELSE string_split(x, ':') END;
CREATE OR REPLACE MACRO is_ipv6(x) AS
    regexp_full_match(x, '([0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}')
    OR (regexp_full_match(x, '([0-9a-fA-F]{1,4}(:[0-9a-fA-F]{1,4})*)?::([0-9a-fA-F]{1,4}(:[0-9a-fA-F]{1,4})*)?')
        AND len(ipv6_groups(split_part(x, '::', 1))) + len(ipv6_groups(split_part(x, '::', 2))) <= 7);
CREATE OR REPLACE MACRO ipv6_digits(x) AS CASE WHEN is_ipv6(x) THEN lower(array_to_string(list_transform(
    ipv6_groups(split_part(x, '::', 1))
    || list_transform(
        range(8 - len(ipv6_groups(split_part(x, '::', 1))) - len(ipv6_groups(split_part(x, '::', 2)))), lambda i: '0')
    || ipv6_groups(split_part(x, '::', 2)),
    lambda part: lpad(part, 4, '0')), '')) END;
CREATE OR REPLACE MACRO address_order(x) AS
    coalesce('4' || format('{:08x}', ipv4_number(x)), '6' || ipv6_digits(x));

-- The pattern of a text: words with digits are what varies. First masked, to group by; then numbered, to be shown.
CREATE OR REPLACE MACRO masked_word(word) AS CASE
    WHEN NOT regexp_matches(word, '[0-9]') THEN word
    WHEN regexp_full_match(word, '[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|[+-][0-9:]+)?') THEN chr(1) || 'Timestamp' || chr(2)
    WHEN regexp_full_match(word, '[0-9]{4}[-/][0-9]{2}[-/][0-9]{2}') THEN chr(1) || 'Date' || chr(2)
    WHEN regexp_full_match(word, '[0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?Z?') THEN chr(1) || 'Time' || chr(2)
    WHEN regexp_full_match(word, '[0-9]{1,3}(\.[0-9]{1,3}){3}') THEN chr(1) || 'IPAddress' || chr(2)
    WHEN regexp_full_match(word, '[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}') THEN chr(1) || 'UUID' || chr(2)
    WHEN regexp_full_match(word, '[+-]?[0-9]+([.][0-9]+)?') THEN chr(1) || 'Number' || chr(2)
    ELSE chr(1) || 'Token' || chr(2) END;
CREATE OR REPLACE MACRO masked_pattern(x) AS array_to_string(list_transform(
    regexp_extract_all(replace(replace(x, chr(1), ''), chr(2), ''), '[A-Za-z0-9_.:/@+-]+|[^A-Za-z0-9_.:/@+-]+'),
    lambda word: masked_word(word)), '');
CREATE OR REPLACE MACRO numbered_pattern(masked) AS array_to_string(list_transform(
    string_split(masked, chr(1)),
    lambda part, i: CASE WHEN i = 1 THEN part ELSE '<' || replace(part, chr(2), '-' || (i - 1) || '>') END), '');
CREATE OR REPLACE MACRO severity_label(x) AS CASE
    WHEN regexp_matches(x, '(?i)\b(error|exception|fatal|critical)') THEN 'ERROR'
    WHEN regexp_matches(x, '(?i)\bwarn') THEN 'WARN'
    WHEN regexp_matches(x, '(?i)\binfo\b') THEN 'INFO'
    WHEN regexp_matches(x, '(?i)\b(debug|trace)\b') THEN 'DEBUG' END;
