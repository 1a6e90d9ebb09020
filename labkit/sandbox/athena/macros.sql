-- What DuckDB has no function for, or one that means something else than Trino's. One statement a line group; loaded
-- once, before the database is locked. An error is a cast of its text, which fails: TRY takes no error().

CREATE MACRO trino_error(text_) AS CAST(CAST(text_ AS INTEGER) AS VARCHAR);
CREATE MACRO trino_divisor(x) AS CASE WHEN x = 0 THEN CAST('DIVISION_BY_ZERO: Division by zero' AS TINYINT) ELSE x END;
CREATE MACRO trino_quotient(a, b) AS CASE WHEN b = 0 THEN a * CAST('Infinity' AS FLOAT) ELSE a / b END;
CREATE MACRO trino_times(i, n) AS to_microseconds(CAST(round(epoch_us(i) * n) AS BIGINT));
CREATE MACRO trino_months(i) AS datepart('year', i) * 12 + datepart('month', i);
CREATE MACRO trino_times_months(i, n) AS to_months(CAST(trunc(trino_months(i) * n) AS INTEGER));
CREATE MACRO trino_whole_days(i) AS
    CASE WHEN epoch_us(i) % 86400000000 = 0 THEN i
    WHEN i IS NOT NULL THEN to_days(CAST('INVALID_FUNCTION_ARGUMENT: Cannot add hour, minutes or seconds to a date' AS INTEGER)) END;
CREATE MACRO trino_width_bucket(x, low, high, buckets) AS
    CASE WHEN buckets <= 0 THEN CAST('INVALID_FUNCTION_ARGUMENT: bucketCount must be greater than 0' AS BIGINT)
    WHEN isnan(x) THEN CAST('INVALID_FUNCTION_ARGUMENT: operand must not be NaN' AS BIGINT)
    WHEN NOT isfinite(low) THEN CAST('INVALID_FUNCTION_ARGUMENT: first bound must be finite' AS BIGINT)
    WHEN NOT isfinite(high) THEN CAST('INVALID_FUNCTION_ARGUMENT: second bound must be finite' AS BIGINT)
    WHEN low = high THEN CAST('INVALID_FUNCTION_ARGUMENT: bounds cannot equal each other' AS BIGINT)
    WHEN low > high THEN CASE WHEN x > low THEN 0 WHEN x <= high THEN buckets + 1
        ELSE CAST(floor((low - x) / (low - high) * buckets) AS BIGINT) + 1 END
    WHEN x < low THEN 0 WHEN x >= high THEN buckets + 1
    ELSE CAST(floor((x - low) / (high - low) * buckets) AS BIGINT) + 1 END;
CREATE MACRO trino_bin(x, bins) AS
    CASE WHEN len(bins) = 0 THEN CAST('INVALID_FUNCTION_ARGUMENT: Bins cannot be an empty array' AS BIGINT)
    WHEN isnan(x) THEN CAST('INVALID_FUNCTION_ARGUMENT: Operand cannot be NaN' AS BIGINT)
    ELSE len(list_filter(bins, lambda b: b <= x)) END;
CREATE MACRO trino_deviation(x) AS
    CASE WHEN x > 0 THEN x WHEN x IS NOT NULL THEN CAST('INVALID_FUNCTION_ARGUMENT: standardDeviation must be > 0' AS DOUBLE) END;
CREATE MACRO trino_share(x) AS
    CASE WHEN x > 0 AND x < 1 THEN x WHEN x IS NOT NULL THEN CAST('INVALID_FUNCTION_ARGUMENT: p must be 0 > p > 1' AS DOUBLE) END;
CREATE MACRO trino_radix(n) AS
    CASE WHEN n BETWEEN 2 AND 36 THEN n WHEN n IS NOT NULL THEN CAST('INVALID_FUNCTION_ARGUMENT: Radix must be between 2 and 36' AS BIGINT) END;
CREATE MACRO trino_wilson(successes, trials, z, side) AS
    CASE WHEN successes < 0 THEN CAST('INVALID_FUNCTION_ARGUMENT: number of successes must not be negative' AS DOUBLE)
    WHEN trials <= 0 THEN CAST('INVALID_FUNCTION_ARGUMENT: number of trials must be positive' AS DOUBLE)
    WHEN successes > trials THEN CAST('INVALID_FUNCTION_ARGUMENT: number of successes must not be larger than number of trials' AS DOUBLE)
    WHEN z < 0 THEN CAST('INVALID_FUNCTION_ARGUMENT: z-score must not be negative' AS DOUBLE)
    ELSE (successes / trials + z * z / (2 * trials)
        + side * z * sqrt(successes / trials * (1 - successes / trials) / trials + z * z / (4 * trials * trials))) / (1 + z * z / trials) END;
CREATE MACRO trino_cosine(a, b) AS
    CASE WHEN len(a) = len(b) THEN list_cosine_similarity(a, b)
    WHEN a IS NOT NULL AND b IS NOT NULL THEN CAST('INVALID_FUNCTION_ARGUMENT: The arguments must have the same length' AS DOUBLE) END;
CREATE MACRO trino_norm(m) AS nullif(sqrt(list_sum(list_transform(map_values(m), lambda v: v * v))), 0);
CREATE MACRO trino_sparse_cosine(a, b) AS
    coalesce(list_sum(list_transform(map_keys(a), lambda k: a[k] * coalesce(b[k], 0))), 0) / trino_norm(a) / trino_norm(b);
CREATE MACRO trino_remainder(a, b) AS CASE WHEN b = 0 THEN CAST('NaN' AS FLOAT) + a * 0 ELSE a % b END;
CREATE MACRO trino_half_up(x, unit) AS CAST(sign(x) AS HUGEINT) * ((abs(x::HUGEINT) + unit // 2) // unit * unit);
CREATE MACRO trino_round_whole(x, places) AS
    CASE WHEN places >= 0 THEN x::HUGEINT
    WHEN abs(trino_half_up(x, CAST(pow(10, least(-places, 19)) AS HUGEINT))) > 9223372036854775807
        THEN CAST('NUMERIC_VALUE_OUT_OF_RANGE: numerical overflow: ' || x AS HUGEINT)
    ELSE trino_half_up(x, CAST(pow(10, least(-places, 19)) AS HUGEINT)) END;
CREATE MACRO trino_bound(n) AS CASE WHEN n > 0 THEN n ELSE CAST('INVALID_FUNCTION_ARGUMENT: bound must be positive' AS BIGINT) END;
CREATE MACRO trino_span(low, high) AS
    CASE WHEN low < high THEN high - low ELSE CAST('INVALID_FUNCTION_ARGUMENT: start value must be less than stop value' AS BIGINT) END;
CREATE MACRO trino_width_of(kind) AS CASE kind WHEN 'TINYINT' THEN 8 WHEN 'SMALLINT' THEN 16 WHEN 'INTEGER' THEN 32 ELSE 64 END;
CREATE MACRO trino_power_of_2(n) AS 1::HUGEINT << CAST(n AS HUGEINT);
CREATE MACRO trino_wrapped(x, bits_) AS
    CASE WHEN x >= trino_power_of_2(bits_ - 1) THEN x - trino_power_of_2(bits_) ELSE x END;
CREATE MACRO trino_unsigned(x, bits_) AS
    ((x::HUGEINT % trino_power_of_2(bits_)) + trino_power_of_2(bits_)) % trino_power_of_2(bits_);
CREATE MACRO trino_left_shift(x, n, bits_) AS
    CASE WHEN n >= bits_ OR n < 0 THEN 0 ELSE trino_wrapped(trino_unsigned(x::HUGEINT * trino_power_of_2(n), bits_), bits_) END;
CREATE MACRO trino_right_shift(x, n, bits_) AS
    CASE WHEN n >= bits_ OR n < 0 THEN 0 ELSE trino_wrapped(trino_unsigned(x, bits_) // trino_power_of_2(n), bits_) END;
CREATE MACRO trino_bit_count(x, bits_) AS
    CASE WHEN bits_ < 2 OR bits_ > 64
        THEN CAST('INVALID_FUNCTION_ARGUMENT: Bits specified in bit_count must be between 2 and 64, got ' || bits_ AS BIGINT)
    WHEN x < -trino_power_of_2(bits_ - 1) OR x >= trino_power_of_2(bits_ - 1)
        THEN CAST('INVALID_FUNCTION_ARGUMENT: Number must be representable with the bits specified. ' || x || ' cannot be represented with ' || bits_ || ' bits' AS BIGINT)
    ELSE CAST(bit_count(CASE WHEN bits_ < 64 THEN x & CAST(trino_power_of_2(bits_) - 1 AS BIGINT) ELSE x END) AS BIGINT) END;
CREATE MACRO trino_greatest(values_) AS
    CASE WHEN list_contains(list_transform(values_, lambda v: v IS NULL), true) THEN NULL ELSE list_max(values_) END;
CREATE MACRO trino_greatest_number(values_) AS
    CASE WHEN list_contains(list_transform(values_, lambda v: v IS NULL), true) THEN NULL
    ELSE coalesce(list_max(list_filter(values_, lambda v: NOT isnan(v))), list_max(values_)) END;
CREATE MACRO trino_least(values_) AS
    CASE WHEN list_contains(list_transform(values_, lambda v: v IS NULL), true) THEN NULL ELSE list_min(values_) END;

CREATE MACRO trino_ln(x) AS CASE WHEN x < 0 THEN 'NaN'::DOUBLE WHEN x = 0 THEN '-Infinity'::DOUBLE ELSE ln(x) END;
CREATE MACRO trino_cbrt(x) AS CASE WHEN pow(round(cbrt(x)), 3) = x THEN round(cbrt(x)) ELSE cbrt(x) END;

-- strings
CREATE MACRO trino_refused(s) AS
    CASE WHEN starts_with(s, 'INVALID_FUNCTION_ARGUMENT: ') THEN trino_error(s) ELSE s END;
CREATE MACRO trino_blanks() AS
    array_to_string(list_transform([9, 10, 11, 12, 13, 28, 29, 30, 31, 32, 5760, 8192, 8193, 8194, 8195, 8196, 8197, 8198,
        8200, 8201, 8202, 8232, 8233, 8287, 12288], lambda blank: chr(blank)), '');
CREATE MACRO trino_chr(n) AS
    CASE WHEN n BETWEEN 0 AND 55295 OR n BETWEEN 57344 AND 1114111 THEN chr(CAST(n AS INTEGER))
    WHEN n IS NOT NULL THEN chr(CAST('INVALID_FUNCTION_ARGUMENT: Not a valid Unicode code point: ' || n AS INTEGER)) END;
CREATE MACRO trino_codepoint(s) AS
    CASE WHEN length(s) = 1 THEN unicode(s)
    WHEN s IS NOT NULL THEN CAST('INVALID_FUNCTION_ARGUMENT: Input string must be a single character string' AS INTEGER) END;
CREATE MACRO trino_levenshtein(a, b) AS
    CASE WHEN greatest(length(a), length(b)) * (least(length(a), length(b)) - 1) > 1000000
        THEN CAST('INVALID_FUNCTION_ARGUMENT: The combined inputs for Levenshtein distance are too large' AS BIGINT)
    WHEN strlen(a) = length(a) AND strlen(b) = length(b) THEN levenshtein(a, b)
    ELSE python_levenshtein(a, b) END;
CREATE MACRO trino_one_or_none(s) AS
    CASE WHEN length(s) > 1 THEN trino_error('INVALID_FUNCTION_ARGUMENT: Replacement character string must empty or a single character')
    ELSE s END;
CREATE MACRO trino_delimiter(s) AS
    CASE WHEN s = '' THEN trino_error('INVALID_FUNCTION_ARGUMENT: The delimiter may not be the empty string') ELSE s END;
CREATE MACRO trino_upper(s) AS
    CASE WHEN contains(s, 'ß') THEN array_to_string(list_transform(string_split(s, 'ß'), lambda part: upper(part)), 'ß') ELSE upper(s) END;
CREATE MACRO trino_replace(s, part, by_) AS
    CASE WHEN part = '' THEN by_ || array_to_string(string_split(s, ''), by_) || by_ ELSE replace(s, part, by_) END;
CREATE MACRO trino_zero_filled(s, width) AS
    CASE WHEN length(s) >= width THEN s WHEN regexp_matches(s, '^[-+]') THEN left(s, 1) || lpad(substring(s, 2), width - 1, '0')
    ELSE lpad(s, width, '0') END;
CREATE MACRO trino_pad_length(n, by_) AS
    CASE WHEN n < 0 OR n > 2147483647 THEN CAST('INVALID_FUNCTION_ARGUMENT: Target length must be in the range [0..2147483647]' AS INTEGER)
    WHEN length(by_) = 0 THEN CAST('INVALID_FUNCTION_ARGUMENT: Padding string must not be empty' AS INTEGER)
    WHEN n > 16777216 THEN CAST('EXCEEDED_MEMORY_LIMIT: Query exhausted resources at this scale factor' AS INTEGER)
    ELSE CAST(n AS INTEGER) END;
CREATE MACRO trino_hamming(a, b) AS
    CASE WHEN length(a) = length(b) THEN len(list_filter(list_zip(string_split(a, ''), string_split(b, '')), lambda pair: pair[1] <> pair[2]))
    WHEN a IS NOT NULL AND b IS NOT NULL THEN CAST('INVALID_FUNCTION_ARGUMENT: The input strings to hamming_distance function must have the same length' AS BIGINT) END;
CREATE MACRO trino_split_part(s, separator, n) AS
    CASE WHEN n > 0 THEN string_split(s, separator)[n]
    WHEN n <= 0 THEN string_split(s, separator)[CAST('INVALID_FUNCTION_ARGUMENT: Index must be greater than zero' AS BIGINT)] END;
CREATE MACRO trino_fit(s, most) AS
    CASE WHEN length(s) <= most OR s IS NULL THEN s
    ELSE trino_error('INVALID_CAST_ARGUMENT: Value ' || s || ' cannot be represented as varchar(' || most || ')') END;
CREATE MACRO trino_boolean(s) AS
    CASE WHEN lower(s) IN ('t', 'true', '1') THEN true WHEN lower(s) IN ('f', 'false', '0') THEN false
    WHEN s IS NULL THEN NULL ELSE CAST(CAST('INVALID_CAST_ARGUMENT: Cannot cast ''' || s || ''' to BOOLEAN' AS INTEGER) AS BOOLEAN) END;
CREATE MACRO trino_substr(s, start_, length_ := NULL) AS
    CASE WHEN start_ = 0 OR abs(start_) > length(s) THEN CASE WHEN s IS NULL THEN NULL ELSE '' END
    WHEN length_ IS NULL THEN substring(s, CAST(start_ AS BIGINT))
    WHEN length_ <= 0 THEN '' ELSE substring(s, CAST(start_ AS BIGINT), CAST(length_ AS BIGINT)) END;
CREATE MACRO trino_split(s, separator, most) AS
    CASE WHEN most <= 0 THEN [trino_error('INVALID_FUNCTION_ARGUMENT: Limit must be positive')]
    WHEN len(string_split(s, separator)) <= most THEN string_split(s, separator)
    ELSE list_append(string_split(s, separator)[:most - 1],
        array_to_string(string_split(s, separator)[most:], separator)) END;
CREATE MACRO trino_entries(s, entries, pairs) AS
    CASE WHEN entries = '' THEN [trino_error('INVALID_FUNCTION_ARGUMENT: entryDelimiter is empty')]
    WHEN pairs = '' THEN [trino_error('INVALID_FUNCTION_ARGUMENT: keyValueDelimiter is empty')]
    WHEN entries = pairs THEN [trino_error('INVALID_FUNCTION_ARGUMENT: entryDelimiter and keyValueDelimiter must not be the same')]
    ELSE string_split(s, entries) END;
CREATE MACRO trino_pairs(entries, pairs, quote_) AS
    list_transform(list_filter(entries, lambda e, i: e <> '' OR i < len(entries)), lambda e: CASE WHEN len(string_split(e, pairs)) = 2
        THEN struct_pack(k := string_split(e, pairs)[1], v := string_split(e, pairs)[2])
        ELSE struct_pack(k := trino_error('INVALID_FUNCTION_ARGUMENT: Key-value delimiter must appear exactly once in each entry. Bad input: ' || quote_ || e || quote_), v := '') END);
CREATE MACRO trino_unique(keys, what) AS
    CASE WHEN len(list_distinct(keys)) < len(keys) THEN keys[:CAST('INVALID_FUNCTION_ARGUMENT: Duplicate ' || what || ' ('
        || CAST(list_filter(keys, lambda k, i: list_contains(keys[:i - 1], k))[1] AS VARCHAR) || ') are not allowed' AS BIGINT)]
    ELSE keys END;
CREATE MACRO trino_map_of_unique(pairs) AS
    list_transform([pairs], lambda found: map(trino_unique(list_transform(found, lambda e: e.k), 'keys'), list_transform(found, lambda e: e.v)))[1];
CREATE MACRO trino_split_to_map(s, entries, pairs) AS
    trino_map_of_unique(trino_pairs(trino_entries(s, entries, pairs), pairs, ''''));
CREATE MACRO trino_strpos(s, part, occurrence) AS
    CASE WHEN occurrence = 0 THEN CAST('INVALID_FUNCTION_ARGUMENT: ''instance'' must be a positive or negative number.' AS BIGINT)
    WHEN part = '' THEN CASE WHEN s IS NOT NULL AND occurrence IS NOT NULL THEN 1 END
    WHEN s IS NOT NULL AND part IS NOT NULL AND occurrence IS NOT NULL THEN
        coalesce(list_filter(generate_series(1, length(s)), lambda i: substring(s, i, length(part)) = part)[occurrence], 0) END;
CREATE MACRO trino_integer_text(s, kind) AS
    CASE WHEN s IS NULL OR regexp_full_match(s, '[+-]?[0-9]+') THEN s
    ELSE trino_error('INVALID_CAST_ARGUMENT: Cannot cast ''' || s || ''' to ' || kind) END;

CREATE MACRO trino_float_text(s, kind) AS
    CASE WHEN s IS NULL OR regexp_full_match(s, '\s*[+-]?(NaN|Infinity|(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?)\s*') THEN s
    ELSE trino_error('INVALID_CAST_ARGUMENT: Cannot cast ''' || s || ''' to ' || kind) END;
CREATE MACRO trino_decimal(s, value_, kind) AS
    CASE WHEN s IS NULL OR regexp_full_match(s, '\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*') THEN value_
    ELSE CAST('INVALID_CAST_ARGUMENT: Cannot cast VARCHAR ''' || s || ''' to ' || kind || '. Value is not a number.' AS TINYINT) END;

CREATE MACRO trino_data_size(s) AS
    CASE WHEN regexp_full_match(s, '\d+(\.\d+)?(B|[kMGTPEZY]B)') THEN
        CAST(trunc(CAST(regexp_extract(s, '[\d.]+') AS DECIMAL(20, 6)) * CAST(pow(1024, instr('BkMGTPEZY', regexp_extract(s, '[BkMGTPEZY]')) - 1) AS DOUBLE)) AS DECIMAL(38, 0))
    WHEN s IS NOT NULL THEN CAST('INVALID_FUNCTION_ARGUMENT: Invalid data size: ''' || s || '''' AS TINYINT) END;

-- regular expressions
CREATE MACRO trino_regexp_replace(s, pattern, by_) AS
    regexp_replace(s, pattern, regexp_replace(by_, '\$(\d)', '\\\1', 'g'), 'g');
CREATE MACRO trino_replaced(parts, matches, by_) AS
    CASE WHEN len(parts) <> len(matches) + 1 THEN trino_error('NOT_SUPPORTED: regexp_replace with a lambda and a pattern that matches nothing at all: the sandbox''s Athena does not have it (docs/sandbox.md lists what it has)')
    WHEN parts IS NULL OR len(list_filter(by_, lambda each: each IS NULL)) > 0 THEN NULL ELSE array_to_string(by_, '') END;
CREATE MACRO trino_regexp_position(s, pattern) AS
    CASE WHEN s IS NULL THEN NULL WHEN NOT regexp_matches(s, pattern) THEN -1
    ELSE length(string_split_regex(s, pattern)[1]) + 1 END;
CREATE MACRO trino_regexp_position_of(s, pattern, start_, occurrence) AS
    CASE WHEN start_ < 1 THEN CAST('INVALID_FUNCTION_ARGUMENT: start position cannot be smaller than 1' AS INTEGER)
    WHEN occurrence < 1 THEN CAST('INVALID_FUNCTION_ARGUMENT: occurrence cannot be smaller than 1' AS INTEGER)
    WHEN len(regexp_extract_all(substring(s, CAST(start_ AS BIGINT)), pattern)) < occurrence THEN -1
    WHEN s IS NOT NULL AND pattern IS NOT NULL AND start_ IS NOT NULL AND occurrence IS NOT NULL THEN
        start_ + length(array_to_string(string_split_regex(substring(s, CAST(start_ AS BIGINT)), pattern)[:occurrence], ''))
        + length(array_to_string(regexp_extract_all(substring(s, CAST(start_ AS BIGINT)), pattern)[:occurrence - 1], '')) END;

-- times
CREATE MACRO trino_date(s) AS
    CASE WHEN s IS NULL OR regexp_full_match(s, '\s*[+-]?\d{4,}-\d{1,2}-\d{1,2}\s*') THEN CAST(s AS DATE)
    ELSE trino_error('INVALID_CAST_ARGUMENT: Value cannot be cast to date: ' || s)::DATE END;
CREATE MACRO trino_timestamp(s) AS
    CASE WHEN s IS NULL OR regexp_full_match(s, '\s*[+-]?\d{4,}-\d{1,2}-\d{1,2}( \d{1,2}:\d{1,2}(:\d{1,2}(\.\d+)?)?)?\s*') THEN CAST(s AS TIMESTAMP)
    ELSE trino_error('INVALID_CAST_ARGUMENT: Value cannot be cast to timestamp: ' || s)::TIMESTAMP END;
CREATE MACRO trino_time(s) AS
    CASE WHEN s IS NULL OR regexp_full_match(s, '\s*\d{1,2}:\d{1,2}(:\d{1,2}(\.\d+)?)?\s*')
        THEN CAST(CASE WHEN regexp_full_match(s, '\s*\d{1,2}:\d{1,2}\s*') THEN trim(s) || ':00' ELSE trim(s) END AS TIME)
    ELSE trino_error('INVALID_CAST_ARGUMENT: Value cannot be cast to time: ' || s)::TIME END;
CREATE MACRO trino_offset_of(t) AS
    regexp_extract(CAST(t AS VARCHAR), '[+-].*$') || CASE WHEN regexp_matches(CAST(t AS VARCHAR), '[+-]\d\d$') THEN ':00' ELSE '' END;
CREATE MACRO trino_timestamp_tz(s) AS
    CASE WHEN s IS NULL OR regexp_full_match(s, '\s*[+-]?\d{4,}-\d{1,2}-\d{1,2}( \d{1,2}:\d{1,2}(:\d{1,2}(\.\d+)?)?)?\s*(UTC|Z|GMT|[+-]00:?00)?\s*')
        THEN CAST(regexp_replace(s, '(UTC|GMT)\s*$', 'Z') AS TIMESTAMPTZ)
    WHEN regexp_matches(s, '^\s*\d{4,}-\d') THEN CAST('NOT_SUPPORTED: a time zone in a column (' || s || '): the sandbox''s Athena does not have it (docs/sandbox.md lists what it has)' AS TIMESTAMPTZ)
    ELSE CAST('INVALID_CAST_ARGUMENT: Value cannot be cast to timestamp with time zone: ' || s AS TIMESTAMPTZ) END;
CREATE MACRO trino_is_utc(s) AS
    CASE WHEN regexp_matches(s, '[T ].*[+-](0[1-9]|1[0-4]|00:?[0-5][1-9])(:?[0-5]\d)?$')
        THEN CAST(CAST('NOT_SUPPORTED: a time zone in a column (' || s || '): the sandbox''s Athena does not have it (docs/sandbox.md lists what it has)' AS INTEGER) AS BOOLEAN)
    ELSE true END;
CREATE MACRO trino_hour_24(t) AS CASE WHEN hour(t) = 0 THEN 24 ELSE hour(t) END;
CREATE MACRO trino_offset_text(minutes) AS
    CASE WHEN minutes < 0 THEN '-' ELSE '+' END || lpad(CAST(abs(minutes) // 60 AS VARCHAR), 2, '0') || ':'
    || lpad(CAST(abs(minutes) % 60 AS VARCHAR), 2, '0');
CREATE MACRO trino_iso8601_date(s) AS
    CASE WHEN regexp_full_match(s, '\d{4}-W\d\d') THEN CAST(strptime(s || '-1', '%G-W%V-%u') AS DATE)
    WHEN regexp_full_match(s, '\d{4}-W\d\d-\d') THEN CAST(strptime(s, '%G-W%V-%u') AS DATE)
    WHEN regexp_full_match(s, '\d{4}-\d{3}') THEN CAST(strptime(s, '%Y-%j') AS DATE)
    WHEN regexp_full_match(s, '\d{4}-\d\d') THEN CAST(s || '-01' AS DATE)
    WHEN regexp_full_match(s, '\d{4}') THEN CAST(s || '-01-01' AS DATE)
    WHEN s IS NULL OR regexp_full_match(s, '\d{4}-\d\d-\d\d') THEN CAST(s AS DATE)
    ELSE trino_error('INVALID_FUNCTION_ARGUMENT: Invalid format: "' || s || '"')::DATE END;
CREATE MACRO trino_duration(s) AS
    to_microseconds(1000 * CAST(round(CASE WHEN regexp_full_match(s, '\s*\d+(\.\d+)?\s*(ns|us|ms|s|m|h|d)\s*')
        THEN CAST(regexp_extract(s, '[\d.]+') AS DOUBLE) * CASE regexp_extract(s, '[a-z]+')
            WHEN 'ns' THEN 1e-6 WHEN 'us' THEN 1e-3 WHEN 'ms' THEN 1 WHEN 's' THEN 1e3 WHEN 'm' THEN 6e4 WHEN 'h' THEN 36e5 ELSE 864e5 END
        WHEN s IS NOT NULL THEN CAST('INVALID_FUNCTION_ARGUMENT: duration is not a valid data duration string: ' || s AS DOUBLE) END) AS BIGINT));
CREATE MACRO trino_malformed_at(s, fits) AS
    CASE WHEN fits = '' THEN '' WHEN fits = s THEN ' is too short' ELSE ' is malformed at "' || substring(s, length(fits) + 1) || '"' END;
CREATE MACRO trino_iso8601(s) AS
    CASE WHEN regexp_full_match(s, '\d{4}-(W\d\d(-\d)?|\d{3})') THEN CAST(CAST(trino_iso8601_date(s) AS VARCHAR) AS TIMESTAMPTZ)
    WHEN regexp_full_match(s, '\d{4}-(W\d\d(-\d)?|\d{3})T\d\d:\d\d.*')
        THEN CAST(CAST(trino_iso8601_date(split_part(s, 'T', 1)) AS VARCHAR) || substring(s, instr(s, 'T')) AS TIMESTAMPTZ)
    WHEN regexp_full_match(s, '\d{4}(-\d\d(-\d\d)?)?(T\d\d(:\d\d(:\d\d([.,]\d+)?)?)?)?(Z|[+-]\d\d(:?\d\d)?)?') THEN
        CAST(CASE length(split_part(s, 'T', 1)) WHEN 4 THEN s || '-01-01' WHEN 7 THEN s || '-01'
            ELSE replace(CASE WHEN regexp_matches(s, 'T\d\d(Z|$|[+-])') THEN regexp_replace(s, 'T(\d\d)', 'T\1:00') ELSE s END, ',', '.')
        END AS TIMESTAMPTZ)
    ELSE CAST('INVALID_FUNCTION_ARGUMENT: Invalid format: "' || s || '"'
        || trino_malformed_at(s, regexp_extract(s, '^\d{4}(-(\d\d(-(\d\d(T(\d\d(:(\d\d(:(\d\d([.,]\d+)?)?)?)?)?)?)?)?)?)?)?')) AS TIMESTAMPTZ) END;
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
CREATE MACRO trino_comparison(found) AS
    CASE WHEN found IN (-1, 0, 1) THEN found
    ELSE CAST('INVALID_FUNCTION_ARGUMENT: Lambda comparator must return either -1, 0, or 1' AS INTEGER) END;
CREATE MACRO trino_array_distinct(items) AS
    list_filter(items, lambda e, i: len(list_filter(items[:i - 1], lambda o: o IS NOT DISTINCT FROM e)) = 0);
CREATE MACRO trino_array_except(a, b) AS
    trino_array_distinct(list_filter(a, lambda e: len(list_filter(b, lambda o: o IS NOT DISTINCT FROM e)) = 0));
CREATE MACRO trino_array_intersect(a, b) AS
    CASE WHEN b IS NOT NULL THEN trino_array_distinct(list_filter(a, lambda e: len(list_filter(b, lambda o: o IS NOT DISTINCT FROM e)) > 0)) END;
CREATE MACRO trino_array_remove(items, x) AS
    CASE WHEN x IS NOT NULL THEN list_filter(items, lambda e: e IS NULL OR e <> x) END;
CREATE MACRO trino_array_histogram(items) AS
    map_from_entries(list_transform(trino_array_distinct(list_filter(items, lambda e: e IS NOT NULL)),
        lambda e: struct_pack(k := e, v := len(list_filter(items, lambda o: o = e)))));
CREATE MACRO trino_times_to_repeat(n) AS
    CASE WHEN n > 10000 THEN CAST('INVALID_FUNCTION_ARGUMENT: count argument of repeat function must be less than or equal to 10000' AS BIGINT)
    WHEN n < 0 THEN CAST('INVALID_FUNCTION_ARGUMENT: count argument of repeat function must be greater than or equal to 0' AS BIGINT)
    ELSE n END;
CREATE MACRO trino_day_step(i) AS
    CASE WHEN epoch_us(i) % 86400000000 = 0 THEN i
    WHEN i IS NOT NULL THEN to_days(CAST('INVALID_FUNCTION_ARGUMENT: sequence step must be a day interval if start and end values are dates' AS INTEGER)) END;
CREATE MACRO trino_map_keys(keys, size_) AS
    CASE WHEN len(keys) <> size_ THEN keys[:CAST('INVALID_FUNCTION_ARGUMENT: Key and value arrays must be the same length' AS BIGINT)]
    WHEN len(list_filter(keys, lambda k: k IS NULL)) > 0 THEN keys[:CAST('INVALID_FUNCTION_ARGUMENT: map key cannot be null' AS BIGINT)]
    ELSE trino_unique(keys, 'map keys') END;
CREATE MACRO trino_map(keys, values_) AS
    CASE WHEN keys IS NOT NULL AND values_ IS NOT NULL THEN map(trino_map_keys(keys, len(values_)), values_) END;
CREATE MACRO trino_map_from_entries(entries) AS
    CASE WHEN len(list_filter(entries, lambda e: e IS NULL)) > 0
        THEN map_from_entries(entries[:CAST('INVALID_FUNCTION_ARGUMENT: map entry cannot be null' AS BIGINT)])
    ELSE trino_map(list_transform(entries, lambda e: e.field0), list_transform(entries, lambda e: e.field1)) END;
CREATE MACRO trino_concat(a, b) AS CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN list_concat(a, b) END;
CREATE MACRO trino_array_extreme(items, found) AS
    CASE WHEN len(list_filter(items, lambda e: e IS NULL)) > 0 THEN NULL ELSE found END;
CREATE MACRO trino_slice(items, start_, length_) AS
    CASE WHEN length_ < 0 THEN items[CAST('INVALID_FUNCTION_ARGUMENT: length must be greater than or equal to 0' AS BIGINT):1]
    WHEN start_ > 0 THEN items[start_:start_ + length_ - 1]
    WHEN start_ = 0 THEN items[CAST('INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1' AS BIGINT):1]
    WHEN -start_ > len(items) THEN items[1:0]
    ELSE items[len(items) + start_ + 1:len(items) + start_ + length_] END;
CREATE MACRO trino_step(a, b, step) AS
    CASE WHEN step <> 0 AND abs(b::HUGEINT - a) // abs(step) >= 10000
        THEN CAST('INVALID_FUNCTION_ARGUMENT: result of sequence function must not have more than 10000 entries' AS BIGINT)
    WHEN step <> 0 AND (b - a) * sign(step) >= 0 THEN step
    WHEN step IS NOT NULL THEN CAST('INVALID_FUNCTION_ARGUMENT: sequence stop value should be greater than or equal to start value if step is greater than zero otherwise stop should be less than or equal to start' AS BIGINT) END;
CREATE MACRO trino_kept(size_, n) AS
    CASE WHEN n < 0 THEN CAST('INVALID_FUNCTION_ARGUMENT: size must not be negative: ' || n AS BIGINT)
    WHEN n > size_ THEN CAST('INVALID_FUNCTION_ARGUMENT: size must not exceed array cardinality ' || size_ || ': ' || n AS BIGINT)
    ELSE size_ - n END;
CREATE MACRO trino_sequence(a, b) AS generate_series(a, b, trino_step(a, b, CASE WHEN a <= b THEN 1 ELSE -1 END));
CREATE MACRO trino_map_entries(m) AS list_transform(map_entries(m), lambda e: struct_pack(field0 := e.key, field1 := e.value));
CREATE MACRO trino_map_of(entries) AS
    map_from_entries(list_filter(entries, lambda e, i: e.k IS NOT NULL AND len(list_filter(entries[:i - 1], lambda o: o.k = e.k)) = 0));
CREATE MACRO trino_last_of_key(entries) AS
    map_from_entries(list_filter(entries, lambda e, i: e.k IS NOT NULL AND len(list_filter(entries[i + 1:], lambda o: o.k = e.k)) = 0));
CREATE MACRO trino_multimap_of(entries) AS
    map_from_entries(list_transform(
        list_filter(entries, lambda e, i: e.k IS NOT NULL AND len(list_filter(entries[:i - 1], lambda o: o.k = e.k)) = 0),
        lambda e: struct_pack(k := e.k, v := list_transform(list_filter(entries, lambda o: o.k = e.k), lambda o: o.v))));
CREATE MACRO trino_key_values(m) AS list_transform(map_entries(m), lambda e: struct_pack(k := e.key, v := e.value));
CREATE MACRO trino_map_zip(m, n) AS
    CASE WHEN m IS NOT NULL AND n IS NOT NULL THEN
        list_transform(trino_array_distinct(list_concat(map_keys(m), map_keys(n))), lambda k: struct_pack(k := k, a := m[k], b := n[k])) END;
CREATE MACRO trino_combinations(items, n) AS
    CASE WHEN n < 0 THEN [items[CAST('INVALID_FUNCTION_ARGUMENT: combination size must not be negative: ' || n AS BIGINT):1]]
    WHEN n > 5 THEN [items[CAST('INVALID_FUNCTION_ARGUMENT: combination size must not exceed 5: ' || n AS BIGINT):1]]
    WHEN python_combinations(CAST(len(items) AS BIGINT), n)[1] = [0] THEN [items[CAST('INVALID_FUNCTION_ARGUMENT: combinations exceed max size' AS BIGINT):1]]
    ELSE list_transform(python_combinations(CAST(len(items) AS BIGINT), n), lambda c: list_transform(c, lambda i: items[i])) END;
CREATE MACRO trino_split_to_multimap(s, entries, pairs) AS
    trino_multimap_of(trino_pairs(trino_entries(s, entries, pairs), pairs, ''));
CREATE MACRO trino_arrays_overlap(a, b) AS
    CASE WHEN list_has_any(a, b) THEN true
    WHEN a IS NULL OR b IS NULL OR len(list_filter(list_concat(a, b), lambda i: i IS NULL)) > 0 THEN NULL ELSE false END;
CREATE MACRO trino_element_at(items, n) AS
    CASE WHEN n = 0 THEN items[CAST('INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1' AS BIGINT)] ELSE items[n] END;
CREATE MACRO trino_ngrams(items, n) AS
    CASE WHEN n < 1 THEN [items[:CAST('INVALID_FUNCTION_ARGUMENT: N must be positive' AS BIGINT)]] ELSE list_transform(generate_series(1, greatest(1, len(items) - n + 1)), lambda i: items[i:i + n - 1]) END;
CREATE MACRO trino_contains_sequence(items, part) AS
    (len(part) = 0 OR len(list_filter(generate_series(1, len(items) - len(part) + 1), lambda i: items[i:i + len(part) - 1] = part)) > 0);

-- JSON
CREATE MACRO trino_json_parse(s) AS CAST(python_json(s) AS JSON);
CREATE MACRO trino_json(s) AS CASE WHEN json_valid(s) THEN CAST(s AS JSON) END;
CREATE MACRO trino_json_path(path) AS regexp_replace(path, '\[\s*[''"]([^''"]+)[''"]\s*\]', '."\1"', 'g');
CREATE MACRO trino_json_error(j, kind) AS CAST('INVALID_CAST_ARGUMENT: Cannot cast ''' || CAST(j AS VARCHAR) || ''' to ' || kind AS INTEGER);
CREATE MACRO trino_json_items(j) AS
    CASE WHEN json_type(j) = 'ARRAY' THEN CAST(j AS JSON[]) WHEN json_type(j) <> 'NULL' THEN [CAST(trino_json_error(j, 'array') AS JSON)] END;
CREATE MACRO trino_json_members(j) AS
    CASE WHEN json_type(j) = 'OBJECT' THEN CAST(j AS MAP(VARCHAR, JSON))
    WHEN json_type(j) <> 'NULL' THEN map([CAST(trino_json_error(j, 'map') AS VARCHAR)], [CAST(NULL AS JSON)]) END;
CREATE MACRO trino_json_is_row(j) AS
    CASE WHEN json_type(j) IN ('OBJECT', 'ARRAY') THEN true WHEN json_type(j) <> 'NULL' THEN CAST(trino_json_error(j, 'row') AS BOOLEAN) END;
CREATE MACRO trino_json_list(items) AS
    CAST('[' || array_to_string(list_transform(items, lambda e: coalesce(CAST(e AS VARCHAR), 'null')), ',') || ']' AS JSON);
CREATE MACRO trino_json_object(keys, values_) AS
    CAST('{' || array_to_string(list_transform(list_sort(list_zip(keys, values_)),
        lambda e: CAST(to_json(e[1]) AS VARCHAR) || ':' || coalesce(CAST(e[2] AS VARCHAR), 'null')), ',') || '}' AS JSON);
CREATE MACRO trino_double_json(x) AS
    CASE WHEN isfinite(x) THEN CAST(trino_java_double(x) AS JSON) WHEN x IS NOT NULL THEN to_json(trino_java_double(x)) END;
CREATE MACRO trino_json_plain(j) AS
    CASE json_type(j) WHEN 'NULL' THEN NULL WHEN 'VARCHAR' THEN json_extract_string(j, '$') ELSE CAST(j AS VARCHAR) END;
CREATE MACRO trino_json_text(j) AS
    CASE WHEN json_type(j) IN ('ARRAY', 'OBJECT') THEN CAST(trino_json_error(j, 'varchar') AS VARCHAR) ELSE trino_json_plain(j) END;
CREATE MACRO trino_is_json_scalar(s) AS
    CASE WHEN json_valid(s) THEN json_type(s) NOT IN ('OBJECT', 'ARRAY')
    WHEN s IS NOT NULL THEN CAST(CAST('INVALID_FUNCTION_ARGUMENT: Invalid JSON value: ' || s AS INTEGER) AS BOOLEAN) END;
CREATE MACRO trino_json_scalar(j, path) AS
    CASE WHEN json_type(j, trino_json_path(path)) NOT IN ('OBJECT', 'ARRAY') THEN json_extract_string(j, trino_json_path(path)) END;
CREATE MACRO trino_json_array_length(j) AS CASE WHEN json_type(j) = 'ARRAY' THEN CAST(json_array_length(j) AS BIGINT) END;
CREATE MACRO trino_json_array_contains(j, x) AS
    CASE WHEN json_type(j) = 'ARRAY' THEN list_contains(CAST(j AS JSON[]), to_json(x)) END;
CREATE MACRO trino_json_size(j, path) AS
    CASE json_type(j, trino_json_path(path)) WHEN 'OBJECT' THEN len(json_keys(j, trino_json_path(path)))
    WHEN 'ARRAY' THEN json_array_length(j, trino_json_path(path)) ELSE CASE WHEN json_type(j, trino_json_path(path)) IS NOT NULL THEN 0 END END;

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
CREATE MACRO trino_address_bytes(x) AS
    unhex(lpad(to_base(CAST(x >> 96 AS BIGINT), 16), 8, '0') || lpad(to_base(CAST((x >> 64) & 4294967295 AS BIGINT), 16), 8, '0')
        || lpad(to_base(CAST((x >> 32) & 4294967295 AS BIGINT), 16), 8, '0') || lpad(to_base(CAST(x & 4294967295 AS BIGINT), 16), 8, '0'));
CREATE MACRO trino_width(x) AS CASE WHEN x >> 32 = 65535 THEN 32 ELSE 128 END;
CREATE MACRO trino_network(x, bits_) AS
    struct_pack(network := ((x >> CAST(trino_width(x) - bits_ AS UHUGEINT)) << CAST(trino_width(x) - bits_ AS UHUGEINT)), bits := CAST(bits_ AS INTEGER));
CREATE MACRO trino_prefix(x, bits_) AS
    CASE WHEN bits_ < 0 OR bits_ > trino_width(x)
        THEN trino_network(CAST('INVALID_FUNCTION_ARGUMENT: IPv' || CASE trino_width(x) WHEN 32 THEN 4 ELSE 6 END || ' subnet size must be in range [0, ' || trino_width(x) || ']' AS UHUGEINT), 0)
    ELSE trino_network(x, bits_) END;
CREATE MACRO trino_ipprefix(s) AS
    CASE WHEN s IS NULL THEN NULL
    WHEN regexp_full_match(s, '[^/:]*/([12]?\d|3[0-2])|[^/]*:[^/]*/(\d\d?|1[01]\d|12[0-8])') THEN trino_network(trino_ipaddress(split_part(s, '/', 1)), CAST(split_part(s, '/', 2) AS INTEGER))
    ELSE trino_network(CAST('INVALID_CAST_ARGUMENT: Cannot cast value to IPPREFIX: ' || s AS UHUGEINT), 0) END;
CREATE MACRO trino_in_network(x, p) AS
    (trino_width(x) = trino_width(p.network)
     AND (x >> CAST(trino_width(x) - p.bits AS UHUGEINT)) = (p.network >> CAST(trino_width(x) - p.bits AS UHUGEINT)));
CREATE MACRO trino_subnet_of(p, q) AS (q.bits >= p.bits AND trino_in_network(q.network, p));
CREATE MACRO trino_last_address(p) AS
    (p.network + ((1::UHUGEINT << CAST(trino_width(p.network) - p.bits AS UHUGEINT)) - 1::UHUGEINT));

-- urls
CREATE MACRO trino_url_parts() AS '^(?:([^:/?#]+):)?(?://(?:[^/?#@]*@)?((?:\[[^\]]*\]|[^/?#:]*))(?::(\d+))?)?([^?#]*)(?:\?([^#]*))?(?:#(.*))?';
CREATE MACRO trino_url(url) AS
    CASE WHEN NOT regexp_matches(url, '[\s<>"{}|\\^`]|%[^0-9A-Fa-f]|%.[^0-9A-Fa-f]|%.?$') THEN url END;
CREATE MACRO trino_url_argument(argument) AS
    CASE WHEN argument IS NOT NULL THEN url_decode(replace(CASE WHEN contains(argument, '=') THEN regexp_extract(argument, '=(.*)', 1) ELSE '' END, '+', ' ')) END;
CREATE MACRO trino_url_parameter(url, name_) AS
    trino_url_argument(list_filter(string_split(regexp_extract(trino_url(url), trino_url_parts(), 5), '&'),
        lambda p: string_split(p, '=')[1] = name_)[1]);
-- bytes
CREATE MACRO trino_binary_substr(b, start_, length_ := NULL) AS
    unhex(substring(hex(b), CAST(2 * (CASE WHEN start_ < 0 THEN octet_length(b) + start_ + 1 ELSE start_ END) - 1 AS BIGINT),
        CAST(2 * coalesce(length_, octet_length(b)) AS BIGINT)));
CREATE MACRO trino_from_big_endian(b, size_) AS
    CASE WHEN octet_length(b) = size_ THEN CAST(python_big_endian(b) AS BIGINT)
    WHEN b IS NOT NULL THEN CAST('INVALID_FUNCTION_ARGUMENT: expected ' || size_ || '-byte input, but got instead: ' || octet_length(b) AS BIGINT) END;
CREATE MACRO trino_ieee754(b, size_) AS
    CASE WHEN octet_length(b) = size_ THEN trino_from_ieee754(b, size_)
    WHEN b IS NOT NULL THEN CAST('INVALID_FUNCTION_ARGUMENT: Input floating-point value must be exactly ' || size_ || ' bytes long' AS TINYINT) END;
CREATE MACRO trino_from_base32(s) AS
    CASE WHEN starts_with(python_base32(s), 'INVALID') THEN encode(trino_error(python_base32(s)))
    ELSE unhex(python_base32(s)) END;
CREATE MACRO trino_from_hex(s) AS
    CASE WHEN s IS NULL OR regexp_full_match(s, '([0-9A-Fa-f]{2})*') THEN unhex(s)
    ELSE encode(trino_error('INVALID_FUNCTION_ARGUMENT: Unable to parse hex string: ' || s)) END;
CREATE MACRO trino_months_text(i) AS
    CASE WHEN trino_months(i) < 0 THEN '-' ELSE '' END
    || abs(datepart('year', i)) || '-' || abs(datepart('month', i));
