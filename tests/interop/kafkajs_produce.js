// kafkajs as a writer of the interop tests: kafkajs_produce.js BOOTSTRAP TOPIC none|gzip, a JSON object a line on standard input.
const { Kafka, logLevel, CompressionTypes } = require('kafkajs')

async function main () {
  const [bootstrap, topic, codec] = process.argv.slice(2)
  const lines = require('fs').readFileSync(0, 'utf8').trim().split('\n').map(line => JSON.parse(line))
  const kafka = new Kafka({ brokers: [bootstrap], logLevel: logLevel.ERROR })
  const producer = kafka.producer({ idempotent: true, createPartitioner: () => () => 0 })
  await producer.connect()
  const messages = lines.map(r => ({
    key: r.key, value: r.value, timestamp: String(r.timestamp), headers: Object.fromEntries(r.headers)
  }))
  await producer.send({ topic, compression: codec === 'gzip' ? CompressionTypes.GZIP : CompressionTypes.None, messages })
  await producer.disconnect()
}
main().catch(error => { console.error(error.message); process.exit(1) })
