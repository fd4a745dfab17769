import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.springframework.kafka.core.DefaultKafkaConsumerFactory;
import org.springframework.kafka.core.DefaultKafkaProducerFactory;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.listener.KafkaMessageListenerContainer;
import org.springframework.kafka.requestreply.ReplyingKafkaTemplate;
import org.springframework.kafka.requestreply.RequestReplyFuture;
import org.springframework.kafka.support.TopicPartitionOffset;

/** Requests in flight at once from two of Spring's templates, which share a topic of replies, a partition each. */
public class Replies {
    private static final String[] ACTIONS = {"Ping", "CoreSettings", "CoreStatus"};

    /** Words: servers, topic of requests, topic of replies, requests of each. Prints id, partition and reply. */
    public static void main(String[] words) throws Exception {
        Map<String, RequestReplyFuture<String, String, String>> asked = new LinkedHashMap<>();
        var templates = new ReplyingKafkaTemplate[] {template(words[0], words[2], 0), template(words[0], words[2], 1)};
        for (int number = 0; number < Integer.parseInt(words[3]); number++) {
            for (int place = 0; place < templates.length; place++) {
                String id = place + "-" + number;
                asked.put(id, ask(templates[place], words[1], id, ACTIONS[number % ACTIONS.length]));
            }
        }
        for (var each : asked.entrySet()) {
            var reply = each.getValue().get();
            System.out.println(each.getKey() + "\t" + reply.partition() + "\t" + reply.value());
        }
        for (var template : templates) {
            template.stop();
            template.destroy();
        }
    }

    @SuppressWarnings("unchecked")
    private static RequestReplyFuture<String, String, String> ask(
            ReplyingKafkaTemplate<?, ?, ?> template, String topic, String id, String action) {
        String request = "{\"request_id\": \"" + id + "\", \"action\": \"" + action + "\"}";
        return ((ReplyingKafkaTemplate<String, String, String>) template)
                .sendAndReceive(new ProducerRecord<>(topic, id, request), Duration.ofSeconds(60));
    }

    private static ReplyingKafkaTemplate<String, String, String> template(String servers, String topic, int partition) {
        Map<String, Object> reads = Map.of("bootstrap.servers", servers, "isolation.level", "read_committed");
        var producers = new DefaultKafkaProducerFactory<>(
                Map.of("bootstrap.servers", servers), new StringSerializer(), new StringSerializer());
        var consumers = new DefaultKafkaConsumerFactory<>(reads, new StringDeserializer(), new StringDeserializer());
        var place = new ContainerProperties(new TopicPartitionOffset(topic, partition, 0L));
        place.setGroupId("replies-" + partition);
        var template = new ReplyingKafkaTemplate<>(producers, new KafkaMessageListenerContainer<>(consumers, place));
        template.start();
        return template;
    }
}
