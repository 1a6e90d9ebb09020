-- What DuckDB has no function for, or one that means something else than Trino's. One statement a line group; loaded
-- once, before the database is locked. An error is a cast of its text, which fails: TRY takes no error().

CREATE MACRO trino_divisor(x) AS CASE WHEN x = 0 THEN CAST('DIVISION_BY_ZERO: Division by zero' AS TINYINT) ELSE x END;
CREATE MACRO trino_quotient(a, b) AS CASE WHEN b = 0 THEN a * CAST('Infinity' AS FLOAT) ELSE a / b END;
CREATE MACRO trino_times(i, n) AS to_microseconds(CAST(round(epoch_us(i) * n) AS BIGINT));
CREATE MACRO trino_width_bucket(x, low, high, buckets) AS
    CASE WHEN x < low THEN 0 WHEN x >= high THEN buckets + 1
    ELSE CAST(floor((x - low) / (high - low) * buckets) AS BIGINT) + 1 END;
CREATE MACRO trino_greatest(values_) AS
    CASE WHEN list_contains(list_transform(values_, lambda v: v IS NULL), true) THEN NULL ELSE list_max(values_) END;
CREATE MACRO trino_least(values_) AS
    CASE WHEN list_contains(list_transform(values_, lambda v: v IS NULL), true) THEN NULL ELSE list_min(values_) END;

-- strings
CREATE MACRO trino_substr(s, start_, length_ := NULL) AS
    CASE WHEN start_ = 0 OR abs(start_) > length(s) THEN CASE WHEN s IS NULL THEN NULL ELSE '' END
    WHEN length_ IS NULL THEN substring(s, CAST(start_ AS BIGINT))
    WHEN length_ <= 0 THEN '' ELSE substring(s, CAST(start_ AS BIGINT), CAST(length_ AS BIGINT)) END;
CREATE MACRO trino_split(s, separator, most) AS
    CASE WHEN len(string_split(s, separator)) <= most THEN string_split(s, separator)
    ELSE list_append(string_split(s, separator)[:most - 1],
        array_to_string(string_split(s, separator)[most:], separator)) END;
CREATE MACRO trino_split_to_map(s, entries, pairs) AS
    map_from_entries(list_transform(string_split(s, entries),
        lambda e: struct_pack(k := string_split(e, pairs)[1], v := string_split(e, pairs)[2])));
CREATE MACRO trino_strpos(s, part, occurrence) AS
    CASE WHEN len(string_split(s, part)) <= occurrence THEN 0
    ELSE length(array_to_string(string_split(s, part)[:occurrence], part)) + 1 END;
CREATE MACRO trino_integer_text(s, kind) AS
    CASE WHEN s IS NULL OR regexp_full_match(s, '[+-]?[0-9]+') THEN s
    ELSE CAST(CAST('INVALID_CAST_ARGUMENT: Cannot cast ''' || s || ''' to ' || kind AS INTEGER) AS VARCHAR) END;

-- regular expressions
CREATE MACRO trino_regexp_replace(s, pattern, by_) AS
    regexp_replace(s, pattern, regexp_replace(by_, '\$(\d)', '\\\1', 'g'), 'g');
CREATE MACRO trino_regexp_position(s, pattern) AS
    CASE WHEN s IS NULL THEN NULL WHEN NOT regexp_matches(s, pattern) THEN -1
    ELSE length(string_split_regex(s, pattern)[1]) + 1 END;

-- times
CREATE MACRO trino_iso8601(s) AS
    CASE WHEN regexp_full_match(s, '\d{4}(-\d\d(-\d\d)?)?(T\d\d(:\d\d(:\d\d([.,]\d+)?)?)?)?(Z|[+-]\d\d(:?\d\d)?)?') THEN
        CAST(CASE length(split_part(s, 'T', 1)) WHEN 4 THEN s || '-01-01' WHEN 7 THEN s || '-01'
            ELSE replace(CASE WHEN regexp_matches(s, 'T\d\d(Z|$|[+-])') THEN regexp_replace(s, 'T(\d\d)', 'T\1:00') ELSE s END, ',', '.')
        END AS TIMESTAMPTZ)
    ELSE CAST('INVALID_FUNCTION_ARGUMENT: Invalid format: "' || s || '"' AS TIMESTAMPTZ) END;
CREATE MACRO trino_interval_text(i) AS
    CASE WHEN epoch_us(i) < 0 THEN '-' ELSE '' END
    || CAST(abs(epoch_ms(i)) // 86400000 AS VARCHAR) || ' '
    || lpad(CAST(abs(epoch_ms(i)) // 3600000 % 24 AS VARCHAR), 2, '0') || ':'
    || lpad(CAST(abs(epoch_ms(i)) // 60000 % 60 AS VARCHAR), 2, '0') || ':'
    || lpad(CAST(abs(epoch_ms(i)) // 1000 % 60 AS VARCHAR), 2, '0') || '.'
    || lpad(CAST(abs(epoch_ms(i)) % 1000 AS VARCHAR), 3, '0');

-- arrays and maps
CREATE MACRO trino_subscript(items, n) AS
    CASE WHEN items IS NULL OR n BETWEEN 1 AND len(items) THEN items[n]
    WHEN n = 0 THEN items[CAST('INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1' AS BIGINT)]
    WHEN n < 0 THEN items[CAST('INVALID_FUNCTION_ARGUMENT: Array subscript is negative: ' || n AS BIGINT)]
    ELSE items[CAST('INVALID_FUNCTION_ARGUMENT: Array subscript must be less than or equal to array length: ' || n || ' > ' || len(items) AS BIGINT)] END;
CREATE MACRO trino_key(m, k) AS
    CASE WHEN m IS NULL OR list_contains(map_keys(m), k) THEN m[k]
    ELSE map_values(m)[CAST('INVALID_FUNCTION_ARGUMENT: Key not present in map: ' || CAST(k AS VARCHAR) AS BIGINT)] END;
CREATE MACRO trino_contains(items, x) AS
    CASE WHEN list_contains(items, x) THEN true
    WHEN x IS NULL OR items IS NULL OR len(list_filter(items, lambda i: i IS NULL)) > 0 THEN NULL ELSE false END;
CREATE MACRO trino_any_match(found) AS
    CASE WHEN list_contains(found, true) THEN true
    WHEN found IS NULL OR len(list_filter(found, lambda f: f IS NULL)) > 0 THEN NULL ELSE false END;
CREATE MACRO trino_all_match(found) AS
    CASE WHEN list_contains(found, false) THEN false
    WHEN found IS NULL OR len(list_filter(found, lambda f: f IS NULL)) > 0 THEN NULL ELSE true END;
CREATE MACRO trino_array_distinct(items) AS
    list_filter(items, lambda e, i: len(list_filter(items[:i - 1], lambda o: o IS NOT DISTINCT FROM e)) = 0);
CREATE MACRO trino_array_except(a, b) AS
    trino_array_distinct(list_filter(a, lambda e: len(list_filter(b, lambda o: o IS NOT DISTINCT FROM e)) = 0));
CREATE MACRO trino_array_intersect(a, b) AS
    trino_array_distinct(list_filter(a, lambda e: len(list_filter(b, lambda o: o IS NOT DISTINCT FROM e)) > 0));
CREATE MACRO trino_array_remove(items, x) AS list_filter(items, lambda e: e IS NULL OR e <> x);
CREATE MACRO trino_array_extreme(items, found) AS
    CASE WHEN len(list_filter(items, lambda e: e IS NULL)) > 0 THEN NULL ELSE found END;
CREATE MACRO trino_array_join(items, separator, instead) AS
    array_to_string(list_filter(list_transform(items, lambda e: coalesce(CAST(e AS VARCHAR), instead)),
        lambda e: e IS NOT NULL), separator);
CREATE MACRO trino_slice(items, start_, length_) AS
    CASE WHEN start_ > 0 THEN items[start_:start_ + length_ - 1]
    WHEN start_ = 0 THEN items[CAST('INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1' AS BIGINT):1]
    WHEN -start_ > len(items) THEN items[1:0]
    ELSE items[len(items) + start_ + 1:len(items) + start_ + length_] END;
CREATE MACRO trino_sequence(a, b) AS CASE WHEN a <= b THEN generate_series(a, b) ELSE generate_series(a, b, -1) END;
CREATE MACRO trino_map_entries(m) AS list_transform(map_entries(m), lambda e: struct_pack(field0 := e.key, field1 := e.value));
CREATE MACRO trino_map_of(entries) AS
    map_from_entries(list_filter(entries, lambda e, i: e.k IS NOT NULL AND len(list_filter(entries[:i - 1], lambda o: o.k = e.k)) = 0));
CREATE MACRO trino_multimap_of(entries) AS
    map_from_entries(list_transform(
        list_filter(entries, lambda e, i: e.k IS NOT NULL AND len(list_filter(entries[:i - 1], lambda o: o.k = e.k)) = 0),
        lambda e: struct_pack(k := e.k, v := list_transform(list_filter(entries, lambda o: o.k = e.k), lambda o: o.v))));

-- JSON
CREATE MACRO trino_json(s) AS CASE WHEN json_valid(s) THEN CAST(s AS JSON) END;
CREATE MACRO trino_json_path(path) AS regexp_replace(path, '\[\s*[''"]([^''"]+)[''"]\s*\]', '."\1"', 'g');
CREATE MACRO trino_json_text(j) AS
    CASE json_type(j) WHEN 'NULL' THEN NULL WHEN 'VARCHAR' THEN json_extract_string(j, '$') ELSE CAST(j AS VARCHAR) END;
CREATE MACRO trino_json_scalar(j, path) AS
    CASE WHEN json_type(j, trino_json_path(path)) NOT IN ('OBJECT', 'ARRAY') THEN json_extract_string(j, trino_json_path(path)) END;
CREATE MACRO trino_json_array_length(j) AS CASE WHEN json_type(j) = 'ARRAY' THEN CAST(json_array_length(j) AS BIGINT) END;
CREATE MACRO trino_json_array_contains(j, x) AS
    CASE WHEN json_type(j) = 'ARRAY' THEN list_contains(CAST(j AS JSON[]), to_json(x)) END;
CREATE MACRO trino_json_size(j, path) AS
    CASE json_type(j, trino_json_path(path)) WHEN 'OBJECT' THEN len(json_keys(j, trino_json_path(path)))
    WHEN 'ARRAY' THEN json_array_length(j, trino_json_path(path)) WHEN NULL THEN NULL ELSE 0 END;

-- addresses: 128 bits, IPv4 as ::ffff:a.b.c.d
CREATE MACRO trino_ipv4(s) AS
    CAST(281470681743360 + CAST(split_part(s, '.', 1) AS UTINYINT) * 16777216::BIGINT + CAST(split_part(s, '.', 2) AS UTINYINT) * 65536::BIGINT
        + CAST(split_part(s, '.', 3) AS UTINYINT) * 256::BIGINT + CAST(split_part(s, '.', 4) AS UTINYINT) AS UHUGEINT);
CREATE MACRO trino_ipaddress(s) AS
    CASE WHEN s IS NULL THEN NULL
    WHEN regexp_full_match(s, '((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)') THEN trino_ipv4(s)
    ELSE CAST(python_ipaddress(s) AS UHUGEINT) END;
CREATE MACRO trino_ipaddress_text(x) AS
    CASE WHEN x >> 32 = 65535 THEN
        CAST((x >> 24) & 255 AS VARCHAR) || '.' || CAST((x >> 16) & 255 AS VARCHAR) || '.'
        || CAST((x >> 8) & 255 AS VARCHAR) || '.' || CAST(x & 255 AS VARCHAR)
    ELSE python_ipaddress_text(CAST(x AS VARCHAR)) END;
CREATE MACRO trino_width(x) AS CASE WHEN x >> 32 = 65535 THEN 32 ELSE 128 END;
CREATE MACRO trino_network(x, bits_) AS
    struct_pack(network := ((x >> CAST(trino_width(x) - bits_ AS UHUGEINT)) << CAST(trino_width(x) - bits_ AS UHUGEINT)), bits := CAST(bits_ AS INTEGER));
CREATE MACRO trino_ipprefix(s) AS
    CASE WHEN s LIKE '%/%' THEN trino_network(trino_ipaddress(split_part(s, '/', 1)), CAST(split_part(s, '/', 2) AS INTEGER))
    ELSE trino_network(CAST('INVALID_CAST_ARGUMENT: Cannot cast value to IPPREFIX: ' || s AS UHUGEINT), 0) END;
CREATE MACRO trino_in_network(x, p) AS
    (trino_width(x) = trino_width(p.network)
     AND (x >> CAST(trino_width(x) - p.bits AS UHUGEINT)) = (p.network >> CAST(trino_width(x) - p.bits AS UHUGEINT)));
CREATE MACRO trino_subnet_of(p, q) AS (q.bits >= p.bits AND trino_in_network(q.network, p));
CREATE MACRO trino_last_address(p) AS
    (p.network + ((1::UHUGEINT << CAST(trino_width(p.network) - p.bits AS UHUGEINT)) - 1::UHUGEINT));

-- urls
CREATE MACRO trino_url_parts() AS '^(([^:/?#]+):)?(//([^/?#:]*)(:\d+)?)?([^?#]*)(\?([^#]*))?';
CREATE MACRO trino_months_text(i) AS
    CASE WHEN datepart('year', i) * 12 + datepart('month', i) < 0 THEN '-' ELSE '' END
    || abs(datepart('year', i)) || '-' || abs(datepart('month', i));
