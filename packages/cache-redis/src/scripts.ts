import { createHash } from "node:crypto"

/** A Lua script, run by its hash and sent in full when the server does not know it (any more). */
export interface Script {
  readonly source: string
  readonly hash: string
}

const script = (source: string): Script => ({
  source,
  hash: createHash("sha1").update(source).digest("hex")
})

/** Revision and creation time of the entry alive at `now`. */
const live = `
local function live(key, now)
  local head = redis.call('GETRANGE', key, 0, 191)
  local revision, created, expires = string.match(head, '^{"r":"([^"]*)","c":(%d+),"e":(%w+)')
  if revision and (expires == 'null' or tonumber(expires) > tonumber(now)) then
    return revision, created
  end
  return nil
end
`

/**
 * Puts the key into the sets of its tags, which expire with their last entry; \`score\` is when the
 * entry is kept no longer.
 */
const tag = `
local function tag(first, member, score, px, now, option)
  for i = first, #KEYS do
    local before = redis.call('EXISTS', KEYS[i]) == 1 and redis.call('PTTL', KEYS[i]) or 0
    redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', now)
    if option == '' then
      redis.call('ZADD', KEYS[i], score, member)
    else
      redis.call('ZADD', KEYS[i], option, score, member)
    end
    if px == '' or before == -1 then
      redis.call('PERSIST', KEYS[i])
    else
      redis.call('PEXPIRE', KEYS[i], math.max(tonumber(px), before))
    end
  end
end
`

/**
 * Keys: entry, lease, sets of tags. Arguments: 1 \`set\` or \`swap\`; 2 the holder of the lease or the
 * expected revision, \`\` for none; 3-5 head, creation time and tail of the envelope; 6 milliseconds to
 * keep it, \`\` for ever; 7 now; 8 score; 9 member; 10 channel; 11 message.
 */
export const write = script(`${live}${tag}
local revision, created = live(KEYS[1], ARGV[7])
if ARGV[1] == 'set' then
  if ARGV[2] ~= '' and redis.call('GET', KEYS[2]) ~= ARGV[2] then return 0 end
  created = created or ARGV[4]
else
  if (revision or '') ~= ARGV[2] then return 0 end
  created = ARGV[4]
end
local envelope = ARGV[3] .. created .. ARGV[5]
if ARGV[6] == '' then
  redis.call('SET', KEYS[1], envelope)
else
  redis.call('SET', KEYS[1], envelope, 'PX', ARGV[6])
end
redis.call('DEL', KEYS[2])
tag(3, ARGV[9], ARGV[8], ARGV[6], ARGV[7], '')
redis.call('PUBLISH', ARGV[10], ARGV[11])
return 1
`)

/** Keys: entry, lease. Arguments: now, channel, message. Whether something alive was removed. */
export const remove = script(`${live}
local was = live(KEYS[1], ARGV[1]) and 1 or 0
redis.call('UNLINK', KEYS[1])
redis.call('DEL', KEYS[2])
redis.call('PUBLISH', ARGV[2], ARGV[3])
return was
`)

/** Keys: entries. Argument: now. How many of them were alive. */
export const removeMany = script(`${live}
local alive = 0
for i = 1, #KEYS do
  if live(KEYS[i], ARGV[1]) then alive = alive + 1 end
  redis.call('UNLINK', KEYS[i])
end
return alive
`)

/**
 * Keys: set of the tag, then entry and lease in turn. Arguments: now, tag, channel, then the member of
 * each entry. An entry that was rewritten without the tag stays.
 */
export const removeTagged = script(`${live}
local alive = 0
for i = 2, #KEYS, 2 do
  local member = ARGV[3 + i / 2]
  local raw = redis.call('GET', KEYS[i])
  local tagged = false
  if raw then
    local ok, entry = pcall(cjson.decode, raw)
    tagged = not ok
    if ok then
      for _, name in ipairs(entry.t) do tagged = tagged or name == ARGV[2] end
    end
  end
  if tagged then
    if live(KEYS[i], ARGV[1]) then alive = alive + 1 end
    redis.call('UNLINK', KEYS[i])
    redis.call('PUBLISH', ARGV[3], 'w::' .. member)
  end
  redis.call('DEL', KEYS[i + 1])
  redis.call('ZREM', KEYS[1], member)
end
return alive
`)

/** Keys: lease, sets of tags. Arguments: holder, milliseconds, now, score, member. */
export const acquire = script(`${tag}
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 0 end
tag(2, ARGV[5], ARGV[4], ARGV[2], ARGV[3], 'NX')
return 1
`)

/** Key: lease. Arguments: holder, milliseconds. */
export const renew = script(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
`)

/** Key: lease. Argument: holder. */
export const release = script(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
`)
