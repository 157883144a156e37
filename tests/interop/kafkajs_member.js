// kafkajs as a member of a group with members of other makes: prints the value of each record, a line each.
//   node kafkajs_member.js BOOTSTRAP TOPIC GROUP range|roundrobin SESSION_MS
// Its own assigner has a name of its own, so this one is named as the others': it deals the partitions out where kafkajs leads.
const { Kafka, logLevel, AssignerProtocol: { MemberMetadata, MemberAssignment } } = require('kafkajs')

const [bootstrap, topic, groupId, strategy, session] = process.argv.slice(2)

const assigner = ({ cluster }) => ({
  name: strategy,
  version: 0,
  async assign({ members, topics }) {
    const ids = members.map((member) => member.memberId).sort()
    const given = Object.fromEntries(ids.map((id) => [id, {}]))
    for (const name of topics) {
      const partitions = cluster.findTopicPartitionMetadata(name).map((partition) => partition.partitionId).sort((a, b) => a - b)
      partitions.forEach((partition, at) => {
        const turn = strategy === 'range' ? Math.floor((at * ids.length) / partitions.length) : at % ids.length
        const assigned = given[ids[turn]]
        assigned[name] = [...(assigned[name] || []), partition]
      })
    }
    return ids.map((memberId) => ({
      memberId,
      memberAssignment: MemberAssignment.encode({ version: 0, assignment: given[memberId], userData: Buffer.alloc(0) }),
    }))
  },
  protocol({ topics }) {
    return { name: strategy, metadata: MemberMetadata.encode({ version: 0, topics, userData: Buffer.alloc(0) }) }
  },
})

// Each word of the log with its time, and what it is about on one line.
const toStandardError = ({ level, log: { timestamp, message, logger, ...rest } }) =>
  console.error(timestamp.slice(11, 23), level, message, JSON.stringify(rest).slice(0, 400))

async function main() {
  const kafka = new Kafka({ clientId: 'kafkajs', brokers: [bootstrap], logLevel: logLevel.INFO, logCreator: () => toStandardError })
  const consumer = kafka.consumer({ groupId, partitionAssigners: [assigner], sessionTimeout: Number(session) })
  process.on('SIGTERM', () => consumer.disconnect().then(() => process.exit(0)))
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  await consumer.run({ eachMessage: async ({ message }) => console.log(message.value.toString()) })
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
