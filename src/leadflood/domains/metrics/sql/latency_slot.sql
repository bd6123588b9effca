-- The slot of a completed enrichment `e` in the timeline: the id of its job, a UUIDv7, contains the time of the request.
CASE WHEN e.kind = 'enrichment.completed' THEN width_bucket(
    extract(epoch FROM e.at)::double precision - 0.001::double precision
    * ('x' || left(e.data ->> 'jobId', 8) || substr(e.data ->> 'jobId', 10, 4))::bit(48)::bigint, :bounds) END
